package postgres

// Extension is an extension in a database.
type Extension struct {
	Name string `json:"name"`
	// Schema to put its objects in, created where missing; empty = the extension's own choice,
	// or public.
	Schema  string `json:"schema,omitempty"`
	Version string `json:"version,omitempty"` // empty = any that is there, the newest where none is
	// Absent drops the extension, unless something depends on it.
	Absent bool `json:"absent,omitempty"`
}

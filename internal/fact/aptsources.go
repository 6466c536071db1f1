package fact

// AptSources is where a node's apt takes packages from, for another node to use.
type AptSources struct {
	Files []AptFile         `json:"files"`
	Keys  map[string][]byte `json:"keys,omitempty"` // the key files that they name, by path, and the system's own
}

// AptFile is one file of apt's sources.
type AptFile struct {
	Name string `json:"name"` // without its folder
	Text string `json:"text"`
}

package resource

import "io/fs"

var (
	_ Resource = (*PatroniFile)(nil)
	_          = register(func() Resource { return &PatroniFile{} })
)

// PatroniFile is a member's own patroni.yml: a file that also knows what a new content costs.
// When Patroni runs, Apply makes it read the file and waits until it has, so that a later
// PatroniRestart sees which members need a restart. It holds no secret.
type PatroniFile struct {
	Path    string      `json:"path"`
	Content string      `json:"content"`
	Owner   string      `json:"owner,omitempty"` // empty = root
	Group   string      `json:"group,omitempty"` // empty = the owner's own, or root
	Mode    fs.FileMode `json:"mode,omitempty"`  // 0 = 0644
	API     PatroniAPI  `json:"api"`             // of the member on this node
	Conn    PgConn      `json:"conn"`            // asked which parameters need a restart
}

func (f *PatroniFile) Kind() string { return "patroni_file" }
func (f *PatroniFile) Name() string { return f.Path }

package deb

import (
	"fmt"
	"strings"
	"time"
)

// Release says of a suite what it is and which indexes it has.
type Release struct {
	Origin, Label, Suite, Codename string
	Date                           time.Time
	Architectures, Components      []string
	Description                    string
	Files                          []IndexFile
}

// IndexFile is a file that a Release vouches for; Path is below the suite's folder.
type IndexFile struct {
	Path   string
	Size   int
	SHA256 string
}

// String is the text of the Release file. Clients fetch indexes by their hashes, so that one that
// comes while the repository changes finds a whole state, old or new.
func (r Release) String() string {
	s := Stanza{
		{"Origin", r.Origin},
		{"Label", r.Label},
		{"Suite", r.Suite},
		{"Codename", r.Codename},
		{"Date", r.Date.UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC")},
		{"Acquire-By-Hash", "yes"},
		{"Architectures", strings.Join(r.Architectures, " ")},
		{"Components", strings.Join(r.Components, " ")},
		{"Description", r.Description},
	}
	var sums strings.Builder
	for _, f := range r.Files {
		fmt.Fprintf(&sums, "\n %s %d %s", f.SHA256, f.Size, f.Path)
	}
	return append(s, Field{"SHA256", sums.String()}).String()
}

package resource

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

var (
	_ Resource = (*Shipped)(nil)
	_          = Register(func() Resource { return &Shipped{} })
)

// manifestName is the file, in the folder itself, that says what was put there.
const manifestName = ".shipped"

// Shipment is a tree of files that the program makes of what it carries.
type Shipment struct {
	// Edition differs whenever Files may; it is asked on every look, and so has to be quick.
	Edition func() string
	// Files gives the content of each file by its path below the folder.
	Files func() map[string]string
}

var shipments = map[string]Shipment{}

// Ship makes a tree known to Shipped by a name. It panics when the name is taken.
func Ship(name string, s Shipment) bool {
	if _, taken := shipments[name]; taken {
		panic("shipment " + name + " is registered twice")
	}
	shipments[name] = s
	return true
}

// Shipped is a folder with all files of a tree that the program carries, owned by root and readable
// by everybody. The agent makes them on the node, so that none is sent, and what was put there is
// written down beside them: looking takes no more than reading them. Files of others in the folder
// are left alone; those of an earlier edition go.
type Shipped struct {
	Path    string `json:"path"`
	Content string `json:"content"` // as the tree was named to Ship
}

func (s *Shipped) Kind() string { return "shipped" }
func (s *Shipped) Name() string { return s.Path }

// manifest is what was put into a folder: the edition, and the checksum of each file by its path.
type manifest struct {
	edition string
	sums    map[string]string
}

func (s *Shipped) shipment() (Shipment, error) {
	made, ok := shipments[s.Content]
	if !ok {
		return made, fmt.Errorf("this program carries no files named %q", s.Content)
	}
	return made, nil
}

// Diff compares the edition, and the files with what was written down of them.
func (s *Shipped) Diff(_ context.Context, h *Host) (*Change, error) {
	made, err := s.shipment()
	if err != nil {
		return nil, err
	}
	m, err := readManifest(h.Path(filepath.Join(s.Path, manifestName)))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDirectory) {
		return &Change{Action: Create}, nil
	}
	if err != nil {
		return nil, err
	}
	c := &Change{Action: Update}
	c.Add("edition", m.edition, made.Edition())
	different := 0
	for name, want := range m.sums {
		if got, err := fileSum(h.Path(filepath.Join(s.Path, name))); err != nil || got != want {
			different++
		}
	}
	if different > 0 {
		c.Add("files", strconv.Itoa(different)+" missing or changed", "as shipped")
	}
	return c.OrNil(), nil
}

// Apply writes the files that differ, takes those away that are no longer shipped, and last of all
// writes down what is there: until then, an interrupted run is one that has not begun. Files are not
// synced one by one, as the next look would find what a power cut has taken.
func (s *Shipped) Apply(_ context.Context, h *Host) error {
	made, err := s.shipment()
	if err != nil {
		return err
	}
	before, err := readManifest(h.Path(filepath.Join(s.Path, manifestName)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	m := manifest{made.Edition(), map[string]string{}}
	for name, text := range made.Files() {
		m.sums[name] = hexSum([]byte(text))
		path := h.Path(filepath.Join(s.Path, name))
		if got, err := fileSum(path); err == nil && got == m.sums[name] {
			continue
		}
		if err := replaceUnsynced(h, path, text); err != nil {
			return err
		}
	}
	for name := range before.sums {
		if _, kept := m.sums[name]; kept {
			continue
		}
		if err := os.Remove(h.Path(filepath.Join(s.Path, name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return h.WriteFile(filepath.Join(s.Path, manifestName), []byte(m.String()), 0o644)
}

// replaceUnsynced writes a file that is whole at any moment but after a power cut.
func replaceUnsynced(h *Host, path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	uid, gid, err := h.ownership("", "")
	if err != nil {
		return err
	}
	temporary := filepath.Join(filepath.Dir(path), temporaryPrefix(path)+"shipped")
	if err := os.WriteFile(temporary, []byte(text), 0o644); err != nil {
		return err
	}
	if err := setOwnership(temporary, uid, gid, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// String is the manifest as sha256sum -c reads it, but for the first line.
func (m manifest) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", m.edition)
	for _, name := range slices.Sorted(maps.Keys(m.sums)) {
		fmt.Fprintf(&b, "%s  %s\n", m.sums[name], name)
	}
	return b.String()
}

func readManifest(path string) (manifest, error) {
	m := manifest{sums: map[string]string{}}
	f, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if edition, ok := strings.CutPrefix(lines.Text(), "# "); ok {
			m.edition = edition
		} else if sum, name, ok := strings.Cut(lines.Text(), "  "); ok && filepath.IsLocal(name) {
			m.sums[name] = sum
		}
	}
	return m, lines.Err()
}

func fileSum(path string) (string, error) {
	text, err := os.ReadFile(path)
	return hexSum(text), err
}

func hexSum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

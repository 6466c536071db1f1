package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	udiff "github.com/aymanbagabas/go-udiff"
)

var (
	_ Resource = (*Block)(nil)
	_          = Register(func() Resource { return &Block{} })
)

// Block is a run of lines in a file that belongs to somebody else, between two comment lines
// that name it:
//
//	# BEGIN pigsty <marker>
//	…
//	# END pigsty <marker>
//
// The rest of the file, its owner and its mode stay. A new block goes to the end; one that is
// there keeps its place, unless it has to be First.
type Block struct {
	Path   string   `json:"path"`
	Marker string   `json:"marker"` // tells blocks of one file apart, such as "hosts"
	Lines  []string `json:"lines,omitempty"`
	// First puts the block at the top of the file.
	First bool `json:"first,omitempty"`
	// Absent removes the block with its two comment lines.
	Absent bool `json:"absent,omitempty"`
	// Owner, Group and Mode are for a file that has to be made; see File for their defaults.
	Owner string      `json:"owner,omitempty"`
	Group string      `json:"group,omitempty"`
	Mode  fs.FileMode `json:"mode,omitempty"`
	// Secret blocks are not shown.
	Secret bool `json:"secret,omitempty"`
}

func (b *Block) Kind() string { return "block" }
func (b *Block) Name() string { return b.Path + "#" + b.Marker }

// Diff compares the block's lines.
func (b *Block) Diff(_ context.Context, h *Host) (*Change, error) {
	before, err := os.ReadFile(h.Path(b.Path))
	missing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDirectory)
	if err != nil && !missing {
		return nil, err
	}
	after, err := b.splice(string(before))
	if err != nil {
		return nil, err
	}
	if after == string(before) {
		return nil, nil
	}
	c := &Change{Action: Update}
	if missing {
		c.Action = Create
	}
	if b.Secret {
		c.Add("lines", "", "secret")
	} else {
		c.Diff = udiff.Unified(b.Path, b.Path, string(before), after)
	}
	return c, nil
}

// splice returns the file's text with the block as it should be. A second copy of the block
// goes; a copy whose end is missing is an error, as what follows it may be somebody else's.
func (b *Block) splice(text string) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	rest, at, err := b.cut(lines)
	if err != nil || b.Absent {
		return strings.Join(rest, ""), err
	}
	switch {
	case b.First:
		at = 0
	case at < 0:
		at = len(rest)
	}
	if at > 0 && !strings.HasSuffix(rest[at-1], "\n") {
		rest[at-1] += "\n"
	}
	return strings.Join(slices.Insert(rest, at, b.text()...), ""), nil
}

func (b *Block) begin() string { return "# BEGIN pigsty " + b.Marker }
func (b *Block) end() string   { return "# END pigsty " + b.Marker }

// text is the block with its comment lines.
func (b *Block) text() []string {
	out := []string{b.begin() + "\n"}
	for _, line := range b.Lines {
		out = append(out, line+"\n")
	}
	return append(out, b.end()+"\n")
}

// cut returns the lines without the block, and where the first copy of it began; -1 when there
// is none.
func (b *Block) cut(lines []string) (rest []string, at int, err error) {
	at = -1
	inside := false
	for _, line := range lines {
		switch trimmed := strings.TrimRight(line, "\r\n \t"); {
		case trimmed == b.begin():
			inside = true
			if at < 0 {
				at = len(rest)
			}
		case inside && trimmed == b.end():
			inside = false
		case !inside:
			rest = append(rest, line)
		}
	}
	if inside {
		return nil, 0, fmt.Errorf("%s has the line %q and none after it that says %q: put that line back where the block ends", b.Path, b.begin(), b.end())
	}
	return rest, at, nil
}

// Apply writes the file with the block in it. A link is followed: the file it points to is the
// one that others read and own.
func (b *Block) Apply(_ context.Context, h *Host) error {
	path := h.Path(b.Path)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	uid, gid, mode, err := b.attributes(h, path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	after, err := b.splice(string(before))
	if err != nil {
		return err
	}
	return writeAtomic(path, []byte(after), mode, uid, gid)
}

// attributes are the owner and mode the file has, or those for a new one.
func (b *Block) attributes(h *Host, path string) (uid, gid int, mode fs.FileMode, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		uid, gid, err = h.ownership(b.Owner, b.Group)
		return uid, gid, (&File{Mode: b.Mode}).mode(), err
	}
	if err != nil {
		return 0, 0, 0, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || h.Root != "" {
		return -1, -1, info.Mode(), nil
	}
	return int(stat.Uid), int(stat.Gid), info.Mode(), nil
}

package resource

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

var (
	_ Resource = (*OwnProgram)(nil)
	_          = Register(func() Resource { return &OwnProgram{} })
)

// OwnProgram is the program that carries out the run, under a name that stays: agents go when a
// newer one has come, and a timer needs one at any time. It is a second name of the same file,
// which takes no space. Any version will do, so one that is there is left, unless it has to be Current.
type OwnProgram struct {
	Path    string `json:"path"`
	Current bool   `json:"current,omitempty"` // the very program that carries out the run
}

func (p *OwnProgram) Kind() string { return "own_program" }
func (p *OwnProgram) Name() string { return p.Path }

// Diff is a change while there is no such file.
func (p *OwnProgram) Diff(_ context.Context, h *Host) (*Change, error) {
	_, err := os.Lstat(h.Path(p.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return &Change{Action: Create}, nil
	}
	if err != nil || !p.Current {
		return nil, err
	}
	same, err := p.same(h.Path(p.Path))
	if err != nil || same {
		return nil, err
	}
	c := &Change{Action: Update}
	c.Add("program", "another build", "this one")
	return c, nil
}

// same tells whether the file is the running program.
func (p *OwnProgram) same(path string) (bool, error) {
	own, err := os.Executable()
	if err != nil {
		return false, err
	}
	one, err := os.Stat(own)
	if err != nil {
		return false, err
	}
	other, err := os.Stat(path)
	if err != nil || os.SameFile(one, other) {
		return err == nil, err
	}
	if one.Size() != other.Size() {
		return false, nil
	}
	first, err := sum(own)
	if err != nil {
		return false, err
	}
	second, err := sum(path)
	return first == second, err
}

// sum is a file's SHA-256.
func sum(path string) ([sha256.Size]byte, error) {
	text, err := os.ReadFile(path)
	return sha256.Sum256(text), err
}

// Apply links the running program.
func (p *OwnProgram) Apply(_ context.Context, h *Host) error {
	own, err := os.Executable()
	if err != nil {
		return err
	}
	path := h.Path(p.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if p.Current {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	err = os.Link(own, path)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		return nil
	}
	return copyProgram(own, path) // a node that is the controller itself has its program on any disk
}

func copyProgram(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return writeAtomic(to, text, 0o755, -1, -1)
}

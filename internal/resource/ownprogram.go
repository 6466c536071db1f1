package resource

import (
	"context"
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
// which takes no space. Any version will do, so one that is there is left.
type OwnProgram struct {
	Path string `json:"path"`
}

func (p *OwnProgram) Kind() string { return "own_program" }
func (p *OwnProgram) Name() string { return p.Path }

// Diff is a change while there is no such file.
func (p *OwnProgram) Diff(_ context.Context, h *Host) (*Change, error) {
	_, err := os.Lstat(h.Path(p.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return &Change{Action: Create}, nil
	}
	return nil, err
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

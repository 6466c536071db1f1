package resource

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

var (
	_ Resource = (*SetAside)(nil)
	_          = Register(func() Resource { return &SetAside{} })
)

// SetAside moves a folder of data out of the way, under its own name with the time added, on
// the same disk. Nothing is deleted: whoever is sure does that by hand.
type SetAside struct {
	Path string `json:"path"`
}

func (s *SetAside) Kind() string { return "set_aside" }
func (s *SetAside) Name() string { return s.Path }

// asideSuffix is what the time is appended to.
const asideSuffix = ".removed-"

// Diff is a change while the folder is there.
func (s *SetAside) Diff(_ context.Context, h *Host) (*Change, error) {
	_, err := os.Lstat(h.Path(s.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &Change{Action: Delete, Fields: []Field{{Name: "moved to", After: s.Path + asideSuffix + "<time>"}}}, nil
}

// Apply renames the folder.
func (s *SetAside) Apply(_ context.Context, h *Host) error {
	aside := s.Path + asideSuffix + time.Now().UTC().Format("20060102T150405Z")
	if err := os.Rename(h.Path(s.Path), h.Path(aside)); err != nil {
		return err
	}
	h.Note("the data is kept in %s: delete it when it is no longer needed", aside)
	return nil
}

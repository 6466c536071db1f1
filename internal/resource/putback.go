package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

var (
	_ Resource = (*PutBack)(nil)
	_          = Register(func() Resource { return &PutBack{} })
)

// PutBack moves folders that SetAside has moved back to where they were: those of the last time
// that the thing was set aside.
type PutBack struct {
	What string `json:"what"` // see Aside
	Item string `json:"item"`
}

func (p *PutBack) Kind() string { return "put_back" }
func (p *PutBack) Name() string { return p.Item }

// Diff is a change while something is kept, and an error when its place is taken.
func (p *PutBack) Diff(_ context.Context, h *Host) (*Change, error) {
	a, err := newestAside(h, p.What, p.Item)
	if a == nil || err != nil {
		return nil, err
	}
	c := &Change{Action: Create}
	for _, m := range a.Moves {
		if !there(h, m.To) {
			continue
		}
		if err := vacant(h, m); err != nil {
			return nil, err
		}
		c.Add("moved back", m.To, m.From)
	}
	c.Add("size", "", SizeText(a.Bytes))
	return c, nil
}

// vacant refuses to put a folder where another one is. Empty folders, which an apply makes before
// there is any data, are no obstacle.
func vacant(h *Host, m Move) error {
	err := filepath.WalkDir(h.Path(m.From), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Type().IsRegular() {
			return fmt.Errorf("%s is in use again: remove what is there first, then bring back %s", m.From, m.To)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Apply renames the folders, and drops the note when all are back.
func (p *PutBack) Apply(_ context.Context, h *Host) error {
	a, err := newestAside(h, p.What, p.Item)
	if a == nil || err != nil {
		return err
	}
	for _, m := range a.Moves {
		if !there(h, m.To) {
			continue
		}
		if err := vacant(h, m); err != nil {
			return err
		}
		if err := os.RemoveAll(h.Path(m.From)); err != nil { // empty folders, and links
			return err
		}
		if err := os.MkdirAll(filepath.Dir(h.Path(m.From)), 0o755); err != nil {
			return err
		}
		if err := os.Rename(h.Path(m.To), h.Path(m.From)); err != nil {
			return err
		}
	}
	return a.forget(h)
}

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
	_ Resource = (*Link)(nil)
	_          = Register(func() Resource { return &Link{} })
)

// Link is a symbolic link. The target need not exist.
type Link struct {
	Path   string `json:"path"`
	Target string `json:"target"` // as written into the link: absolute, or relative to its folder
	// Absent removes the link; something else in its place is left.
	Absent bool `json:"absent,omitempty"`
}

func (l *Link) Kind() string { return "link" }
func (l *Link) Name() string { return l.Path }

// Diff compares where the link points.
func (l *Link) Diff(_ context.Context, h *Host) (*Change, error) {
	info, err := os.Lstat(h.Path(l.Path))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDirectory) {
		if l.Absent {
			return nil, nil
		}
		return &Change{Action: Create, Fields: []Field{{Name: "target", After: l.Target}}}, nil
	}
	if err != nil {
		return nil, err
	}
	isLink := info.Mode()&fs.ModeSymlink != 0
	switch {
	case l.Absent && isLink:
		return &Change{Action: Delete}, nil
	case l.Absent:
		return nil, nil
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory, and a link to %s is wanted there: move it away first", l.Path, l.Target)
	}
	c := &Change{Action: Update}
	if !isLink {
		c.Add("type", "file", "link")
		c.Add("target", "", l.Target)
		return c, nil
	}
	target, err := os.Readlink(h.Path(l.Path))
	if err != nil {
		return nil, err
	}
	if target != l.target(h) {
		c.Add("target", target, l.Target)
	}
	return c.OrNil(), nil
}

// target is what the link holds. In a Root, an absolute target lies under it, so that what is
// written through the link stays inside.
func (l *Link) target(h *Host) string {
	if filepath.IsAbs(l.Target) {
		return h.Path(l.Target)
	}
	return l.Target
}

// Apply puts the link in place of what is there, at no moment leaving nothing.
func (l *Link) Apply(_ context.Context, h *Host) error {
	path := h.Path(l.Path)
	if l.Absent {
		return os.Remove(path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return linkAtomic(path, l.target(h))
}

// linkAtomic makes a link under a temporary name and renames it into place.
func linkAtomic(path, target string) error {
	tmp := filepath.Join(filepath.Dir(path), temporaryPrefix(path)+"link")
	// One that a killed run left would be in the way.
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return syncDir(filepath.Dir(path))
}

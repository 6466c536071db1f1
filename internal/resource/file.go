package resource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	udiff "github.com/aymanbagabas/go-udiff"
)

var (
	_ Resource = (*File)(nil)
	_          = Register(func() Resource { return &File{} })
)

// File is a regular file with given content, owner and mode. Its parent folder is made, owned
// by root and world-readable, when nothing made it before.
type File struct {
	Path    string      `json:"path"`
	Content string      `json:"content"`
	Owner   string      `json:"owner,omitempty"` // user name; empty = root
	Group   string      `json:"group,omitempty"` // group name; empty = the owner's own, or root
	Mode    fs.FileMode `json:"mode,omitempty"`  // 0 = 0644
	// Secret files hold a password or key: nothing of their content is ever shown. A file that
	// is not Secret must hold none.
	Secret bool `json:"secret,omitempty"`
	// Once leaves the content alone when the file exists: the file belongs to somebody else
	// after it was made. Owner and mode are still kept.
	Once bool `json:"once,omitempty"`
	// Absent removes the file.
	Absent bool `json:"absent,omitempty"`
	// Impact is what new content costs users at the moment it is written; notified units tell
	// of their own cost.
	Impact Impact `json:"impact,omitempty"`
	// Check is asked about new content before it takes the place of the old; nil = nobody is.
	Check *FileCheck `json:"check,omitempty"`
}

func (f *File) Kind() string { return "file" }
func (f *File) Name() string { return f.Path }

func (f *File) mode() fs.FileMode {
	if f.Mode == 0 {
		return 0o644
	}
	return f.Mode
}

// Diff compares content, owner and mode.
func (f *File) Diff(_ context.Context, h *Host) (*Change, error) {
	path := h.Path(f.Path)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDirectory) {
		if f.Absent {
			return nil, nil
		}
		return &Change{Action: Create, Diff: f.diff("", f.Content), Fields: f.secretSize(), Impact: f.Impact}, nil
	}
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a directory, and a file is meant to be there: move it away first", f.Path)
	}
	if f.Absent {
		return &Change{Action: Delete}, nil
	}
	c := &Change{Action: Update}
	if !info.Mode().IsRegular() {
		c.Add("type", info.Mode().Type().String(), "file")
		return c, nil
	}
	if err := f.compareContent(path, c); err != nil {
		return nil, err
	}
	compareOwnership(h, info, f.Owner, f.Group, f.mode(), c)
	return c.OrNil(), nil
}

func (f *File) compareContent(path string, c *Change) error {
	if f.Once {
		return nil
	}
	current, err := os.ReadFile(path)
	if err != nil || bytes.Equal(current, []byte(f.Content)) {
		return err
	}
	c.Impact = f.Impact
	c.Diff = f.diff(string(current), f.Content)
	if f.Secret {
		c.Add("content", fmt.Sprintf("secret, %d bytes", len(current)), fmt.Sprintf("secret, %d bytes, different", len(f.Content)))
	}
	return nil
}

func (f *File) secretSize() []Field {
	if !f.Secret {
		return nil
	}
	return []Field{{Name: "content", After: fmt.Sprintf("secret, %d bytes", len(f.Content))}}
}

func (f *File) diff(before, after string) string {
	if f.Secret {
		return ""
	}
	return udiff.Unified(f.Path, f.Path, before, after)
}

// Apply writes the file under a temporary name and renames it into place.
func (f *File) Apply(ctx context.Context, h *Host) error {
	path := h.Path(f.Path)
	if f.Absent {
		h.wroteUnit(f.Path)
		return os.Remove(path)
	}
	uid, gid, err := h.ownership(f.Owner, f.Group)
	if err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && f.Once && info.Mode().IsRegular() {
		return setOwnership(path, uid, gid, f.mode())
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	h.wroteUnit(f.Path)
	return replaceAtomic(path, f.mode(), uid, gid, replacement{
		fill:  func(to *os.File) error { _, err := to.WriteString(f.Content); return err },
		check: func(candidate string) error { return f.check(ctx, h, candidate) },
	})
}

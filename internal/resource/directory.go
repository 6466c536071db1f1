package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

var (
	_ Resource = (*Directory)(nil)
	_          = Register(func() Resource { return &Directory{} })
)

// Directory is a folder with given owner and mode; what is in it is of no concern. Parents that
// are missing are made, owned by root and world-readable.
type Directory struct {
	Path  string      `json:"path"`
	Owner string      `json:"owner,omitempty"` // user name; empty = root
	Group string      `json:"group,omitempty"` // group name; empty = the owner's own, or root
	Mode  fs.FileMode `json:"mode,omitempty"`  // 0 = 0755
	// Absent removes the folder when it is empty; one that is not is left and noted.
	Absent bool `json:"absent,omitempty"`
}

func (d *Directory) Kind() string { return "directory" }
func (d *Directory) Name() string { return d.Path }

func (d *Directory) mode() fs.FileMode {
	if d.Mode == 0 {
		return 0o755
	}
	return d.Mode
}

// Diff compares existence, owner and mode.
func (d *Directory) Diff(_ context.Context, h *Host) (*Change, error) {
	info, err := os.Stat(h.Path(d.Path))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDirectory) {
		if d.Absent {
			return nil, nil
		}
		return &Change{Action: Create}, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is a file, and a directory is wanted there: move it away first", d.Path)
	}
	if d.Absent {
		return d.diffAbsent(h)
	}
	c := &Change{Action: Update}
	compareOwnership(h, info, d.Owner, d.Group, d.mode(), c)
	return c.OrNil(), nil
}

func (d *Directory) diffAbsent(h *Host) (*Change, error) {
	entries, err := os.ReadDir(h.Path(d.Path))
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		h.Note("%s is no longer needed but not empty, and so is left", d.Path)
		return nil, nil
	}
	return &Change{Action: Delete}, nil
}

// Apply makes or removes the folder, or gives it its owner and mode.
func (d *Directory) Apply(_ context.Context, h *Host) error {
	path := h.Path(d.Path)
	if d.Absent {
		return os.Remove(path)
	}
	uid, gid, err := h.ownership(d.Owner, d.Group)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return setOwnership(path, uid, gid, d.mode())
}

package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

var (
	_ Resource = (*Reserve)(nil)
	_          = Register(func() Resource { return &Reserve{} })
)

// Reserve is a file of a given size whose blocks are allocated: space that can be freed by
// deleting it when a disk is full.
type Reserve struct {
	Path  string      `json:"path"`
	Size  int64       `json:"size"`            // bytes
	Owner string      `json:"owner,omitempty"` // user name; empty = root
	Mode  fs.FileMode `json:"mode,omitempty"`  // 0 = 0644
}

func (r *Reserve) Kind() string { return "reserve" }
func (r *Reserve) Name() string { return r.Path }

func (r *Reserve) mode() fs.FileMode { return (&File{Mode: r.Mode}).mode() }

// Diff compares size, owner and mode. A disk with less than twice the size free is left alone:
// the file was deleted for a reason.
func (r *Reserve) Diff(_ context.Context, h *Host) (*Change, error) {
	info, err := os.Lstat(h.Path(r.Path))
	missing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDirectory)
	if err != nil && !missing {
		return nil, err
	}
	size := int64(0)
	c := &Change{Action: Create}
	if !missing {
		size, c.Action = info.Size(), Update
		compareOwnership(h, info, r.Owner, "", r.mode(), c)
	}
	if size == r.Size {
		return c.OrNil(), nil
	}
	free, err := h.free(r.Path)
	if err != nil {
		return nil, err
	}
	if free+size < 2*r.Size {
		h.Note("%s is not reserved: its disk has %d MiB free, and twice the size (%d MiB) is asked for", r.Path, free>>20, r.Size>>20)
		return nil, nil
	}
	c.Fields = append(c.Fields, Field{Name: "size", Before: byteCount(size), After: byteCount(r.Size)})
	return c, nil
}

func byteCount(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

// free is how many bytes a service may still write on the path's disk.
func (h *Host) free(path string) (int64, error) {
	for {
		var s unix.Statfs_t
		err := unix.Statfs(h.Path(path), &s)
		if err == nil {
			return int64(s.Bavail) * s.Frsize, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || path == "/" {
			return 0, fmt.Errorf("ask for free space of %s: %w", path, err)
		}
		path = filepath.Dir(path)
	}
}

// Apply makes the file anew.
func (r *Reserve) Apply(_ context.Context, h *Host) error {
	path := h.Path(r.Path)
	uid, gid, err := h.ownership(r.Owner, "")
	if err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Size() == r.Size {
		return setOwnership(path, uid, gid, r.mode())
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return replaceAtomic(path, r.mode(), uid, gid, replacement{fill: func(f *os.File) error { return allocate(f, r.Size) }})
}

// allocate gives the file its blocks; a file system that cannot promise them gets zeros.
func allocate(f *os.File, size int64) error {
	err := unix.Fallocate(int(f.Fd()), 0, 0, size)
	if !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	zeros := make([]byte, 1<<20)
	for size > 0 {
		n, err := f.Write(zeros[:min(size, int64(len(zeros)))])
		if err != nil {
			return err
		}
		size -= int64(n)
	}
	return nil
}

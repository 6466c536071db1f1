package etcd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Data)(nil)
	_                   = resource.Register(func() resource.Resource { return &Data{} })
)

// Data is a member's data directory. What is in it is never removed, and a member with data
// elsewhere is not started on an empty directory, which would found a second, empty cluster.
type Data struct {
	Path   string `json:"path"`
	Config string `json:"config"` // the environment file that names the directory in use
	// Purge is set where the inventory asks for existing data to be purged, which is told to
	// be in vain.
	Purge bool `json:"purge,omitempty"`
}

func (d *Data) Kind() string { return "etcd_data" }
func (d *Data) Name() string { return d.Path }

func (d *Data) directory() *resource.Directory {
	return &resource.Directory{Path: d.Path, Owner: "etcd", Group: "etcd", Mode: 0o700}
}

// Diff compares the directory's owner and mode, and refuses to leave data behind.
func (d *Data) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	filled := hasData(h, d.Path)
	if filled && d.Purge {
		h.Note("dcs_clean is on, and %s is kept all the same: an apply never removes a member's data", d.Path)
	}
	old, err := d.inUse(h)
	if err != nil {
		return nil, err
	}
	if old != "" && old != d.Path && !filled && hasData(h, old) {
		return nil, fmt.Errorf("etcd keeps its data in %s, and etcd_data_dir is now %s, which is empty: stop etcd, move the directory there, and apply again", old, d.Path)
	}
	return d.directory().Diff(ctx, h)
}

// inUse is the data directory that the node's own settings name; empty when there are none.
func (d *Data) inUse(h *resource.Host) (string, error) {
	f, err := os.Open(h.Path(d.Config))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if path, found := strings.CutPrefix(lines.Text(), "ETCD_DATA_DIR="); found {
			return path, nil
		}
	}
	return "", lines.Err()
}

// hasData tells whether a member has run on the directory.
func hasData(h *resource.Host, path string) bool {
	_, err := os.Stat(h.Path(filepath.Join(path, "member")))
	return err == nil
}

// Apply makes the directory.
func (d *Data) Apply(ctx context.Context, h *resource.Host) error { return d.directory().Apply(ctx, h) }

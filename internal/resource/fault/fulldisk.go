package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*FillDisk)(nil)
	_                   = resource.Register(func() resource.Resource { return &FillDisk{} })
)

// FillDisk leaves no space for a while on the file system of the leader's data. It is an order and
// no state. List it on the leader's node.
type FillDisk struct {
	Leader
	Data string `json:"data"` // PostgreSQL's data directory
	// Spared are folders that must not be on that file system, each with what it is.
	Spared map[string]string `json:"spared"`
	Lasts  time.Duration     `json:"lasts"`
}

// fillName is the file that takes the space, at the top of the file system. It has that name for a
// moment only: what keeps it then is a process that has it open. So the space is free again when
// that ends, and after a power cut, too.
const fillName = ".pigsty-drill-full"

func (f *FillDisk) Kind() string { return "fault_full_disk" }
func (f *FillDisk) Name() string { return f.Instance }

// Diff refuses a file system that others need.
func (f *FillDisk) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	s, err := f.standing(ctx, h)
	if err != nil {
		return nil, err
	}
	m, err := f.target(h)
	if err != nil {
		return nil, err
	}
	free, err := freeOf(h.Path(m.at))
	if err != nil {
		return nil, err
	}
	c := f.lost(s, "writes fail until a replica takes over or space is freed")
	c.Add("space on "+m.at+" of "+f.Instance, fmt.Sprintf("%d MiB", free>>20), "none for "+f.Lasts.String())
	return c, nil
}

// target is the file system to fill.
func (f *FillDisk) target(h *resource.Host) (mount, error) {
	mounts, err := readMounts(h)
	if err != nil {
		return mount{}, err
	}
	m, err := mounts.of(h, f.Data)
	if err != nil {
		return mount{}, err
	}
	const more = "; give PostgreSQL's data a disk of its own (pg_fs_main)"
	if m.at == "/" {
		return mount{}, fmt.Errorf("%s lies on the machine's root file system, and all else there would stand without space as well%s", f.Data, more)
	}
	for _, folder := range slices.Sorted(maps.Keys(f.Spared)) {
		what := f.Spared[folder]
		other, err := mounts.of(h, folder)
		if err != nil {
			return mount{}, err
		}
		if other.device == m.device {
			return mount{}, fmt.Errorf("%s lies on the same file system as %s (%s): it would stand without space as well; move one of them to another disk", what, f.Data, m.at)
		}
	}
	if other, shared := mounts.sharing(m); shared {
		return mount{}, fmt.Errorf("the file system of %s is in use at %s, too, and that would stand without space as well%s", f.Data, other.at, more)
	}
	// A container sees a folder of its host's disk as a file system of its own.
	if h.Container && (m.root != "/" || !strings.HasPrefix(m.source, "/dev/loop")) {
		return mount{}, fmt.Errorf("this node is a container, and the disk of %s may be its host's%s, such as that of pigsty sandbox up --disk", f.Data, more)
	}
	return m, nil
}

// Apply returns when nothing is left.
func (f *FillDisk) Apply(ctx context.Context, h *resource.Host) error {
	m, err := f.target(h)
	if err != nil {
		return err
	}
	path := filepath.Join(m.at, fillName)
	if err := hold(ctx, h, FullDisk, f.Lasts, path); err != nil {
		return err
	}
	if err := fill(h.Path(path), h.Path(m.at)); err != nil {
		return errors.Join(err, end(ctx, h, FullDisk))
	}
	return nil
}

// fill allocates whatever space there is, also that which is kept for root, down to single blocks,
// for a file that is there.
func fill(path, at string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := os.Remove(path); err != nil {
		return err
	}
	chunk, err := freeOf(at)
	if err != nil {
		return err
	}
	for size := int64(0); chunk >= block; {
		err := unix.Fallocate(int(file.Fd()), 0, size, chunk)
		switch {
		case err == nil:
			size += chunk
		case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EFBIG):
			chunk /= 2
		case errors.Is(err, unix.EINTR):
		default:
			return fmt.Errorf("allocate space in %s: %w", path, err)
		}
	}
	return nil
}

// block is the least that a file system gives.
const block = 4096

// freeOf is how many bytes root may still write.
func freeOf(path string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, fmt.Errorf("ask for the free space of %s: %w", path, err)
	}
	return int64(s.Bfree) * s.Frsize, nil
}

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// group is a folder of the unified cgroup hierarchy. A sandbox has one, each of its nodes has one
// below it, and below that there are "supervisor" for our process and "machine" for the node
// itself. So all that a sandbox started can be found, frozen and ended without knowing any pid.
type group string

var unifiedRoot = sync.OnceValues(func() (string, error) {
	mounts, err := readMounts()
	if err != nil {
		return "", err
	}
	for _, m := range mounts {
		if m.kind == "cgroup2" {
			return m.at, nil
		}
	}
	return "", errors.New("the unified cgroup hierarchy is not mounted: mount -t cgroup2 none /sys/fs/cgroup/unified")
})

// sandboxGroup is the group of a sandbox; of all sandboxes when name is empty.
func sandboxGroup(name string) group {
	root, err := unifiedRoot()
	if err != nil {
		root = "/sys/fs/cgroup"
	}
	return group(filepath.Join(root, "pigsty-sandbox", name))
}

func (g group) sub(name string) group { return group(filepath.Join(string(g), name)) }

func (g group) set(file, value string) error {
	return os.WriteFile(filepath.Join(string(g), file), []byte(value), 0)
}

// open makes the group and returns its folder, to start a process in it.
func (g group) open() (*os.File, error) {
	if err := os.MkdirAll(string(g), 0o755); err != nil {
		return nil, fmt.Errorf("make cgroup: %w", err)
	}
	return os.Open(string(g))
}

// event reads one flag of cgroup.events; false when the group does not exist.
func (g group) event(name string) bool {
	text, err := os.ReadFile(filepath.Join(string(g), "cgroup.events"))
	return err == nil && strings.Contains(string(text), name+" 1\n")
}

// populated reports whether a process lives in the group or below it.
func (g group) populated() bool { return g.event("populated") }

// frozen reports whether everything in the group stands still.
func (g group) frozen() bool { return g.event("frozen") }

// kill ends every process of the group at once and waits until they are gone.
func (g group) kill(ctx context.Context) error {
	if !g.populated() {
		return nil
	}
	if err := g.set("cgroup.kill", "1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("end the processes of %s: %w", g, err)
	}
	err := poll(ctx, 30*time.Second, 2*time.Millisecond, func() bool { return !g.populated() })
	if err != nil {
		return fmt.Errorf("processes of %s do not end: %w", g, err)
	}
	return nil
}

// freeze stops or continues every process of the group and waits until that is so.
func (g group) freeze(ctx context.Context, frozen bool) error {
	value := "0"
	if frozen {
		value = "1"
	}
	if err := g.set("cgroup.freeze", value); err != nil {
		return err
	}
	return poll(ctx, 10*time.Second, time.Millisecond, func() bool { return g.frozen() == frozen })
}

// remove takes the group and all groups below it away; they must be empty of processes.
func (g group) remove() error {
	var dirs []string
	err := filepath.WalkDir(string(g), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for i := len(dirs) - 1; i >= 0; i-- {
		if e := os.Remove(dirs[i]); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = e
		}
	}
	if err != nil {
		return fmt.Errorf("remove cgroup: %w", err)
	}
	return nil
}

// poll calls ok until it is true, ctx ends or the limit is over.
func poll(ctx context.Context, limit, pause time.Duration, ok func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("gave up after %s", limit))
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	return nil
}

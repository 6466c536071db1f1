package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Down ends the sandbox at once and removes its nodes, their disks, and all it made on the host.
// The cache of images stays.
func (s *Sandbox) Down(ctx context.Context) error { return Down(ctx, s.cfg.Name) }

// Down removes the sandbox of that name, also when it is only half there, damaged, or already
// gone. It ends and deletes only what a sandbox of that name made.
func Down(ctx context.Context, name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("%q is not the name of a sandbox", name)
	}
	unlock, err := lockSandbox(ctx, name, unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer unlock()
	if err := sweep(ctx, remains(name)); err != nil {
		return fmt.Errorf("take sandbox %s down: %w\nrun the same command again when the cause is gone", name, err)
	}
	return removeFile(sandboxLock(name))
}

// DownAll removes every sandbox of the host.
func DownAll(ctx context.Context) error {
	names, err := List()
	errs := []error{err}
	for _, name := range names {
		errs = append(errs, Down(ctx, name))
	}
	return errors.Join(errs...)
}

// remains describes what there is of a sandbox, from its description and from what it left.
func remains(name string) *Sandbox {
	s, err := Open(name)
	if err != nil {
		s = &Sandbox{cfg: Config{Name: name}}
	}
	known := map[string]bool{}
	for _, n := range s.cfg.Nodes {
		known[n.Name] = true
	}
	for _, dir := range []string{s.dir(), string(sandboxGroup(name))} {
		entries, _ := os.ReadDir(dir) // often there is nothing to read
		for _, e := range entries {
			if e.IsDir() && !known[e.Name()] {
				known[e.Name()] = true
				s.cfg.Nodes = append(s.cfg.Nodes, Node{Name: e.Name()})
			}
		}
	}
	return s
}

// sweep removes all traces of a sandbox. It goes on after an error, so that as much as possible
// is gone.
func sweep(ctx context.Context, s *Sandbox) error {
	var errs []error
	group := sandboxGroup(s.cfg.Name)
	all, _ := s.machines(nil) // every node is known by its own list
	for _, m := range all {
		m.hangUp(ctx)
	}
	if err := group.kill(ctx); err != nil {
		return err // never clean up under a running node
	}
	errs = append(errs, each(all, func(m *machine) error { return m.release(ctx) }))
	errs = append(errs, group.remove(), deleteLink(bridgeName(s.cfg.Name)))
	errs = append(errs, deleteRules(ctx, s.cfg.Name, func([]string) bool { return true }))
	errs = append(errs, unmountTree(s.dir()))
	if errors.Join(errs...) == nil { // a disk is deleted only when nothing is mounted below it
		errs = append(errs, removeTree(s.dir()), os.RemoveAll(filepath.Join(runRoot, s.cfg.Name)))
	}
	errs = append(errs, leaveHost(ctx))
	return errors.Join(errs...)
}

// removeTree deletes a folder. A process that was ended a moment ago can still be writing its
// last file, so a folder that fills up again is tried again.
func removeTree(dir string) error {
	var err error
	for range 10 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// leaveHost undoes what all sandboxes share when the last one is gone.
func leaveHost(ctx context.Context) error {
	unlock, err := lockHost(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	names, err := List()
	if err != nil || len(names) > 0 {
		return err
	}
	parent := sandboxGroup("")
	if err := os.Remove(string(parent)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove cgroup %s: %w", parent, err)
	}
	return restoreHost()
}

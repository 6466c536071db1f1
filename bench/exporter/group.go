package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"pigsty/bench/machine"
)

// group is a cgroup of the unified hierarchy: all that was started in it, and that has ended since,
// counts.
type group string

// newGroup makes a group. It counts processor time without any controller being enabled.
func newGroup(name string) (group, error) {
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			g := group(filepath.Join(f[1], fmt.Sprintf("pigsty-exporter-%d-%s", os.Getpid(), name)))
			return g, os.Mkdir(string(g), 0o755)
		}
	}
	return "", errors.New("the unified cgroup hierarchy is not mounted")
}

// start starts a command in the group, so that nothing it starts is missed.
func (g group) start(cmd *exec.Cmd) error {
	dir, err := os.Open(string(g))
	if err != nil {
		return err
	}
	defer dir.Close()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	return cmd.Start()
}

// used is the processor time of the group since it was made.
func (g group) used() (time.Duration, error) { return machine.CPU(string(g)) }

// freeze has all in the group stand still, or go on.
func (g group) freeze(still bool) error {
	value := "0"
	if still {
		value = "1"
	}
	return os.WriteFile(filepath.Join(string(g), "cgroup.freeze"), []byte(value), 0)
}

// end kills what is left in the group and removes it.
func (g group) end() error {
	if err := os.WriteFile(filepath.Join(string(g), "cgroup.kill"), []byte("1"), 0); err != nil {
		return err
	}
	for range 500 {
		if os.Remove(string(g)) == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return os.Remove(string(g))
}

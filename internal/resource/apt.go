package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	aptListsDir = "/var/lib/apt/lists"
	// aptStamp is touched after each refresh of ours: when nothing is new upstream, apt leaves
	// every date of its lists alone.
	aptStamp = "/var/lib/pigsty/apt-refreshed"
	// aptListsAge is how old package lists may grow before an installation refreshes them.
	aptListsAge = 24 * time.Hour
	// aptLockWait is how long another program may hold apt, as it does on a freshly booted
	// cloud machine.
	aptLockWait = 2 * time.Minute
)

// aptEnv keeps maintainer scripts from asking and needrestart from restarting databases.
var aptEnv = []string{"DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "NEEDRESTART_MODE=l"}

// repairDpkg lets a dpkg that was killed finish: it refuses other work until then.
func repairDpkg(ctx context.Context, h *Host) error {
	interrupted, err := h.interrupted()
	if err != nil || !interrupted {
		return err
	}
	_, err = h.Exec.Run(ctx, Command{Argv: []string{"dpkg", "--force-confold", "--configure", "-a"}, Env: aptEnv})
	if err != nil {
		return fmt.Errorf("finish an interrupted package installation: %w", err)
	}
	return nil
}

// aptInstall installs the packages. The lists are refreshed first when they are old, and after
// a failure when something in them was not to be found; a refresh that fails is no obstacle as
// long as the packages are to be had.
func aptInstall(ctx context.Context, h *Host, packages []string, recommends bool) error {
	var stale error
	refreshed := aptListsOld(h)
	if refreshed {
		stale = aptRefresh(ctx, h)
	}
	err := aptInstallOnce(ctx, h, packages, recommends)
	if err != nil && !refreshed && aptNotFound(err) {
		if stale = aptRefresh(ctx, h); stale == nil {
			err = aptInstallOnce(ctx, h, packages, recommends)
		}
	}
	if err != nil && aptUnmet(err) {
		err = aptInstallBack(ctx, h, packages, recommends, err)
	}
	if err != nil {
		return errors.Join(explainApt(err), stale)
	}
	if stale != nil {
		h.Note("%v; the packages were installed from the lists at hand", stale)
	}
	return nil
}

func aptInstallOnce(ctx context.Context, h *Host, packages []string, recommends bool, more ...string) error {
	argv := []string{
		"apt-get", "install", "-y", "-q",
		"-o", "Dpkg::Options::=--force-confold",
		"-o", fmt.Sprintf("DPkg::Lock::Timeout=%d", int(aptLockWait.Seconds())),
	}
	if !recommends {
		argv = append(argv, "--no-install-recommends")
	}
	if slices.ContainsFunc(packages, func(p string) bool { return strings.Contains(p, "=") }) {
		argv = append(argv, "--allow-downgrades")
	}
	_, err := h.Exec.Run(ctx, Command{Argv: slices.Concat(argv, more, packages), Env: aptEnv})
	return err
}

// aptListsOld tells whether the package lists are missing, older than a day, or older than the
// list of repositories they come from.
func aptListsOld(h *Host) bool {
	lists, err := filepath.Glob(h.Path(filepath.Join(aptListsDir, "*_Packages*")))
	if err != nil || len(lists) == 0 {
		return true
	}
	fetched := newest(h, aptListsDir, aptStamp, "/var/lib/apt/periodic/update-success-stamp")
	return time.Since(fetched) > aptListsAge || newest(h, aptSources(h)...).After(fetched)
}

// aptSources are the files and folders whose dates tell of a change to the repositories.
func aptSources(h *Host) []string {
	sources := []string{"/etc/apt/sources.list", "/etc/apt/sources.list.d"}
	entries, err := os.ReadDir(h.Path("/etc/apt/sources.list.d"))
	if err != nil {
		return sources
	}
	for _, e := range entries {
		sources = append(sources, filepath.Join("/etc/apt/sources.list.d", e.Name()))
	}
	return sources
}

// newest is the latest modification time of the paths that exist.
func newest(h *Host, paths ...string) time.Time {
	var last time.Time
	for _, path := range paths {
		if info, err := os.Stat(h.Path(path)); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// aptRefresh fetches the package lists, waiting while another program does.
func aptRefresh(ctx context.Context, h *Host) error {
	command := Command{Argv: []string{"apt-get", "update", "-q", "--error-on=any"}, Env: aptEnv}
	deadline := time.Now().Add(aptLockWait)
	for {
		_, err := h.Exec.Run(ctx, command)
		switch {
		case err == nil:
			return touch(h.Path(aptStamp))
		case !aptLocked(err) || time.Now().After(deadline):
			return fmt.Errorf("refresh the package lists: %w", explainApt(err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
}

func touch(path string) error {
	now := time.Now()
	err := os.Chtimes(path, now, now)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, nil, 0o644)
}

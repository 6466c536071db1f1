package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

type mountPoint struct{ at, kind string }

// readMounts lists the mounts this process sees, in the order they were made.
func readMounts() ([]mountPoint, error) {
	text, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	var mounts []mountPoint
	for line := range strings.Lines(string(text)) {
		left, right, ok := strings.Cut(line, " - ")
		fields := strings.Fields(left)
		kind, _, _ := strings.Cut(right, " ")
		if ok && len(fields) > 4 {
			mounts = append(mounts, mountPoint{at: fields[4], kind: kind})
		}
	}
	return mounts, nil
}

// mountOverlay shows upper over the read-only layers, uppermost first, at a folder it makes.
// With redirect_dir a folder of a lower layer can be renamed, as on any disk.
func mountOverlay(lower []string, upper, work, at string) error {
	for _, dir := range []string{upper, work, at} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("mount overlay: %w", err)
		}
	}
	options := fmt.Sprintf("redirect_dir=on,lowerdir=%s,upperdir=%s,workdir=%s", strings.Join(lower, ":"), upper, work)
	if err := unix.Mount("overlay", at, "overlay", 0, options); err != nil {
		return fmt.Errorf("mount overlay at %s (%s): %w", at, options, err)
	}
	return nil
}

// unmountTree unmounts everything at and below path, innermost first. A mount that somebody still
// looks into is detached, and goes when they leave.
func unmountTree(path string) error {
	mounts, err := readMounts()
	if err != nil {
		return err
	}
	for i := len(mounts) - 1; i >= 0; i-- {
		at := mounts[i].at
		if at != path && !strings.HasPrefix(at, path+"/") {
			continue
		}
		err := unix.Unmount(at, 0)
		if errors.Is(err, unix.EBUSY) {
			err = unix.Unmount(at, unix.MNT_DETACH)
		}
		if err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("unmount %s: %w", at, err)
		}
	}
	return nil
}

// withPrivateMounts runs do on a thread with a mount table of its own. Commands that do starts see
// what it mounts and nobody else does; all of it goes with the thread, however it ends.
func withPrivateMounts(do func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the runtime ends the thread with the goroutine
		result <- func() error {
			if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
				return fmt.Errorf("make a private mount table: %w", err)
			}
			if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
				return fmt.Errorf("make mounts private: %w", err)
			}
			return do()
		}()
	}()
	return <-result
}

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lock takes an advisory lock on a file, made when missing, and waits for it as long as ctx lasts.
// how is unix.LOCK_SH or unix.LOCK_EX. The returned function lets go; the kernel does so as well
// when the process dies. A holder may remove the file: whoever waited for it starts over.
func lock(ctx context.Context, path string, how int) (func(), error) {
	for {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if err := flock(ctx, f, how); err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if sameFile(f, path) {
			return func() { f.Close() }, nil
		}
		f.Close()
	}
}

func flock(ctx context.Context, f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another pigsty holds it: %w", context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func sameFile(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

// lockHost guards what all sandboxes of a host share: subnets and the forwarding switch.
func lockHost(ctx context.Context) (func(), error) {
	return lock(ctx, filepath.Join(filepath.Dir(runRoot), "sandbox.lock"), unix.LOCK_EX)
}

// lockSandbox is exclusive for making and removing a sandbox and shared for work on its nodes.
func lockSandbox(ctx context.Context, name string, how int) (func(), error) {
	return lock(ctx, sandboxLock(name), how)
}

func sandboxLock(name string) string { return filepath.Join(runRoot, name+".lock") }

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// systemCache is beside the images of the sandbox, and like them shared by all that build.
const systemCache = "/var/cache/pigsty/packages"

// unusedFor is how long an entry stays that nobody asked for.
const unusedFor = 30 * 24 * time.Hour

func defaultCache() string {
	if os.Geteuid() == 0 {
		return systemCache
	}
	own, err := os.UserCacheDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "pigsty-packages")
	}
	return filepath.Join(own, "pigsty", "packages")
}

// cache keeps what was built: one folder a subject, such as a package for an architecture, and in
// it one folder an entry, which is complete when it is there. Its name has the hash of all that it
// was made of.
type cache struct {
	dir string
	say func(format string, args ...any)
}

// entry gives the folder of an entry, and whether it was there. If not, fill makes it; whoever
// wants an entry of the same subject meanwhile waits.
func (c cache) entry(ctx context.Context, subject, name string, fill func(temp string) error) (dir string, found bool, err error) {
	dir = filepath.Join(c.dir, subject, name)
	if c.use(dir) {
		return dir, true, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", false, fmt.Errorf("make the cache: %w; -cache DIR names another folder", err)
	}
	unlock, err := c.lock(ctx, subject)
	if err != nil {
		return "", false, err
	}
	defer unlock()
	if c.use(dir) {
		return dir, true, nil
	}
	temp := dir + ".building"
	if err := os.RemoveAll(temp); err != nil { // left by a build that was interrupted
		return "", false, err
	}
	defer os.RemoveAll(temp)
	if err := os.Mkdir(temp, 0o755); err != nil {
		return "", false, err
	}
	if err := fill(temp); err != nil {
		return "", false, err
	}
	return dir, false, os.Rename(temp, dir)
}

// has tells whether an entry is there, without a wish for it.
func (c cache) has(subject, name string) bool {
	_, err := os.Stat(filepath.Join(c.dir, subject, name))
	return err == nil
}

// use tells whether an entry is there, and notes that it is wanted still.
func (c cache) use(dir string) bool {
	now := time.Now()
	return os.Chtimes(dir, now, now) == nil
}

// lock waits until no other builder works at a subject. The kernel lets go when the process dies.
func (c cache) lock(ctx context.Context, subject string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(c.dir, subject, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		if !told {
			c.say("%s: another builder is at it, waiting", subject)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		}
	}
}

// expire removes entries that were not wanted for a month, and what interrupted builds left.
func (c cache) expire() error {
	entries, err := filepath.Glob(filepath.Join(c.dir, "*", "*"))
	if err != nil {
		return err
	}
	var problems []error
	for _, dir := range entries {
		if info, err := os.Stat(dir); err == nil && info.IsDir() && time.Since(info.ModTime()) > unusedFor {
			problems = append(problems, os.RemoveAll(dir))
		}
	}
	return errors.Join(problems...)
}

// key names content: equal parts give equal names.
func key(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return fmt.Sprintf("%x", h.Sum(nil))[:16]
}

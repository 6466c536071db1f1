package resource

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// temporaryPrefix begins the name of every temporary file of ours for the path. The dot keeps
// it out of folders whose files are read by pattern, such as /etc/cron.d.
func temporaryPrefix(path string) string { return "." + filepath.Base(path) + ".pigsty-" }

// WriteFile replaces the node's file at the path with data: a reader sees the old file or the new
// one, also after a power cut. The file belongs to the agent's own user; its folder must exist.
func (h *Host) WriteFile(path string, data []byte, mode os.FileMode) error {
	return writeAtomic(h.Path(path), data, mode, -1, -1)
}

// RewriteFile is WriteFile for a file that is there: it keeps its owner and mode.
func (h *Host) RewriteFile(path string, data []byte) error {
	info, err := os.Stat(h.Path(path))
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	return writeAtomic(h.Path(path), data, info.Mode().Perm(), int(owner.Uid), int(owner.Gid))
}

// writeAtomic replaces path with data: a reader sees the old file or the new one, also after a
// power cut. uid and gid of -1 leave the owner to the process.
func writeAtomic(path string, data []byte, mode os.FileMode, uid, gid int) error {
	return replaceAtomic(path, mode, uid, gid, replacement{fill: func(f *os.File) error {
		_, err := f.Write(data)
		return err
	}})
}

// replacement is what becomes of the temporary file before it takes the other's place.
type replacement struct {
	fill  func(*os.File) error         // writes its content
	check func(candidate string) error // may refuse it, complete as it is; nil = nobody does
}

// replaceAtomic is writeAtomic for content that is made in place.
func replaceAtomic(path string, mode os.FileMode, uid, gid int, r replacement) error {
	if err := removeTemporary(path); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), temporaryPrefix(path)+"*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := finish(tmp, mode, uid, gid, r.fill); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if r.check != nil {
		if err := r.check(tmp.Name()); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// removeTemporary removes what a run that was killed while writing the path left behind.
func removeTemporary(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), temporaryPrefix(path)) {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(path), e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func finish(f *os.File, mode os.FileMode, uid, gid int, fill func(*os.File) error) error {
	defer f.Close()
	if err := fill(f); err != nil {
		return err
	}
	if err := f.Chown(uid, gid); err != nil {
		return err
	}
	// After chown, which clears the set-user-ID bits.
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// syncDir makes a rename in the folder survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

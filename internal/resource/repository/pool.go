package repository

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"pigsty/internal/aptrepo"
	"pigsty/internal/resource"
)

// seenDir holds what is known of the files of repositories, by the repository's name: which were
// read, and what they were then. Without it all are read again.
const seenDir = "/var/lib/pigsty/repository"

// seen is a file that was read and had the right content. Its change time moves with any write.
type seen struct {
	Inode  uint64 `json:"inode"`
	Size   int64  `json:"size"`
	Change int64  `json:"change"` // nanoseconds
	SHA256 string `json:"sha256"`
}

func seenFile(dir string) string {
	return path.Join(seenDir, strings.ReplaceAll(strings.Trim(dir, "/"), "/", "-")+".json")
}

// finding is something about the repository's files that is not as it has to be.
type finding struct {
	path, what, want string
	id               string // of the package whose file is of no use; empty when it only has to be mended
}

// lost are the packages whose files are of no use.
func lost(findings []finding) map[string]bool {
	all := map[string]bool{}
	for _, f := range findings {
		if f.id != "" {
			all[f.id] = true
		}
	}
	return all
}

// inspect looks at every file of the manifest. A file that was read before and has not changed since
// is not read again.
func inspect(h *resource.Host, dir string, m *aptrepo.Manifest) ([]finding, error) {
	if m == nil {
		return nil, nil
	}
	known := readSeen(h, dir)
	var findings []finding
	changed := false
	for i := range m.Packages {
		p := &m.Packages[i]
		info, err := os.Lstat(h.Path(path.Join(dir, p.File)))
		if errors.Is(err, fs.ErrNotExist) {
			findings = append(findings, finding{p.File, "", "there", p.ID()})
			continue
		}
		if err != nil {
			return nil, err
		}
		now := seenOf(info, p.SHA256)
		if known[p.File] == now {
			continue
		}
		if what := damage(h.Path(path.Join(dir, p.File)), info, p); what != "" {
			findings = append(findings, finding{p.File, what, "as it was packaged", p.ID()})
			continue
		}
		known[p.File] = now
		changed = true
	}
	if changed {
		if err := writeSeen(h, dir, known); err != nil {
			return nil, err
		}
	}
	more, err := inspectModes(h, dir)
	return append(findings, more...), err
}

// damage is what is wrong with a package's file; empty when nothing is.
func damage(path string, info fs.FileInfo, p *aptrepo.Package) string {
	if !info.Mode().IsRegular() {
		return info.Mode().Type().String()
	}
	if info.Size() != p.Size {
		return fmt.Sprintf("%d bytes", info.Size())
	}
	sum, _, err := sumFile(path)
	switch {
	case err != nil:
		return err.Error()
	case sum != p.SHA256:
		return "damaged"
	}
	return ""
}

func seenOf(info fs.FileInfo, sum string) seen {
	s := seen{Size: info.Size(), SHA256: sum}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Inode, s.Change = stat.Ino, stat.Ctim.Nano()
	}
	return s
}

func readSeen(h *resource.Host, dir string) map[string]seen {
	known := map[string]seen{}
	text, err := os.ReadFile(h.Path(seenFile(dir)))
	if err != nil || json.Unmarshal(text, &known) != nil {
		return map[string]seen{} // it saves time only
	}
	return known
}

func writeSeen(h *resource.Host, dir string, known map[string]seen) error {
	text, err := json.Marshal(known)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(h.Path(seenDir), 0o755); err != nil {
		return err
	}
	return h.WriteFile(seenFile(dir), text, 0o644)
}

// Modes of what a web server and apt's own user have to be able to read.
const (
	fileMode   = 0o644
	folderMode = 0o755
)

// inspectModes finds files and folders that a web server could not read, or that others could
// write.
func inspectModes(h *resource.Host, dir string) ([]finding, error) {
	var findings []finding
	err := eachFile(h, dir, func(path string, info fs.FileInfo) error {
		mode := fs.FileMode(fileMode)
		if info.IsDir() {
			mode = folderMode
		}
		what := ""
		if info.Mode().Perm() != mode {
			what = fmt.Sprintf("%04o", info.Mode().Perm())
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Getuid() {
			what = strings.TrimSpace(what + fmt.Sprintf(" owner %d", stat.Uid))
		}
		if what != "" {
			findings = append(findings, finding{path: path, what: what, want: fmt.Sprintf("%04o", mode)})
		}
		return nil
	})
	return findings, err
}

// eachFile visits the folders and regular files of a repository, by their paths below it.
func eachFile(h *resource.Host, dir string, visit func(path string, info fs.FileInfo) error) error {
	top := h.Path(dir)
	err := filepath.WalkDir(top, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() && !entry.Type().IsRegular() {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		below, err := filepath.Rel(top, file)
		if err != nil {
			return err
		}
		return visit(below, info)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// mend gives every file and folder the owner and mode it has to have.
func mend(h *resource.Host, dir string, m *aptrepo.Manifest) error {
	if m == nil {
		return nil
	}
	findings, err := inspectModes(h, dir)
	if err != nil {
		return err
	}
	for _, f := range findings {
		file := h.Path(path.Join(dir, f.path))
		info, err := os.Lstat(file)
		if err != nil {
			return err
		}
		mode := fs.FileMode(fileMode)
		if info.IsDir() {
			mode = folderMode
		}
		if err := errors.Join(os.Lchown(file, os.Getuid(), os.Getgid()), os.Chmod(file, mode)); err != nil {
			return err
		}
	}
	return nil
}

// inPool tells whether a package's file is there and right. What an interrupted run has put there is
// of use to the next.
func inPool(h *resource.Host, dir string, p *aptrepo.Package) bool {
	file := h.Path(path.Join(dir, p.File))
	info, err := os.Lstat(file)
	return err == nil && damage(file, info, p) == ""
}

// putInPool moves a file that was fetched to its place, and makes sure that it is the one that the
// manifest means.
func putInPool(h *resource.Host, dir string, p *aptrepo.Package, from string) error {
	sum, size, err := sumFile(h.Path(from))
	if err != nil {
		return fmt.Errorf("package %s was not fetched: %w", p.ID(), err)
	}
	if sum != p.SHA256 || size != p.Size {
		return fmt.Errorf("package %s is another file than its source says: its SHA256 is %s, and must be %s", p.ID(), sum, p.SHA256)
	}
	to := path.Join(dir, p.File)
	if err := makeFolders(h, dir, path.Dir(p.File)); err != nil {
		return err
	}
	in, err := os.Open(h.Path(from))
	if err != nil {
		return err
	}
	defer in.Close()
	return fillFile(h.Path(to), in)
}

// makeFolders makes the folders of a path below the repository, which everybody may read.
func makeFolders(h *resource.Host, dir, below string) error {
	if err := os.MkdirAll(h.Path(dir), folderMode); err != nil {
		return err
	}
	at := dir
	for part := range strings.SplitSeq(below, "/") {
		at = path.Join(at, part)
		if err := os.Mkdir(h.Path(at), folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// fillFile writes a file under a temporary name and renames it.
func fillFile(to string, from io.Reader) error {
	temp := filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+".pigsty")
	out, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	defer out.Close()
	if _, err := io.Copy(out, from); err != nil {
		return err
	}
	if err := errors.Join(out.Chmod(fileMode), out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(temp, to)
}

// dropFiles removes the files of packages that the repository has no more.
func dropFiles(h *resource.Host, dir string, m *aptrepo.Manifest, dropped []aptrepo.Package) error {
	kept := map[string]bool{}
	for _, p := range m.Packages {
		kept[p.File] = true
	}
	var failed []error
	for _, p := range dropped {
		if kept[p.File] {
			continue
		}
		err := os.Remove(h.Path(path.Join(dir, p.File)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
		}
		// A folder that has other packages is not empty, and stays.
		_ = os.Remove(h.Path(path.Join(dir, path.Dir(p.File))))
	}
	return errors.Join(failed...)
}

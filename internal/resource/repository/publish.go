package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"pigsty/internal/aptrepo"
	"pigsty/internal/resource"
)

// A repository has its indexes in a folder of their own for each state it was in; a link leads to the
// one that holds, and moving that link is the whole change.
const (
	current     = "current"
	generations = ".generation"
	// backdate is how much older new indexes say they are: nodes whose clock is behind refuse what is
	// from the future.
	backdate = 24 * time.Hour
)

// load reads the manifest that holds; nil when there is no repository yet. A manifest that cannot be
// read is noted and counts as none: the files that are there are used again.
func load(h *resource.Host, dir string) (*aptrepo.Manifest, error) {
	text, err := os.ReadFile(h.Path(path.Join(dir, current, aptrepo.ManifestFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the package repository: %w", err)
	}
	m, err := aptrepo.ReadManifest(text)
	if err != nil {
		h.Note("the package repository in %s is built anew: %v", dir, err)
		return nil, nil
	}
	return m, nil
}

// publicKey is the public key's name in a generation.
const publicKey = "key.asc"

// signedWith tells whether the indexes that hold are signed with that key.
func signedWith(h *resource.Host, dir, key string) bool {
	text, err := os.ReadFile(h.Path(path.Join(dir, current, publicKey)))
	return err == nil && string(text) == key
}

// publish makes what is wanted hold, if it is another state than the one that does.
func (b *build) publish(ctx context.Context) error {
	same, err := b.unchanged()
	if err != nil || same {
		return err
	}
	b.want.Date = b.date()
	name, err := writeGeneration(ctx, b.h, b.step, b.r.Path, b.r.Key, b.want)
	if err != nil {
		return err
	}
	if err := b.check(ctx, name); err != nil {
		return errors.Join(err, os.RemoveAll(b.h.Path(path.Join(b.r.Path, generations, name))))
	}
	if err := switchTo(b.h, b.r.Path, b.r.Label, name); err != nil {
		return err
	}
	b.have = b.want.Clone()
	_, err = inspect(b.h, b.r.Path, b.have) // so that the next look reads no file
	return err
}

// unchanged tells whether what holds is what is wanted.
func (b *build) unchanged() (bool, error) {
	if b.have == nil || !signedWith(b.h, b.r.Path, b.r.Key) {
		return false, nil
	}
	was, err := b.have.Content()
	if err != nil {
		return false, err
	}
	is, err := b.want.Content()
	return was == is, err
}

// date is what the new indexes say of their age. It is later than that of those before, or apt would
// take them for old ones.
func (b *build) date() time.Time {
	date := time.Now().Add(-backdate).UTC().Truncate(time.Second)
	if b.have != nil && !date.After(b.have.Date) {
		date = b.have.Date.Add(time.Second)
	}
	return date
}

// writeGeneration writes the indexes of a manifest into a folder of their own, and names it.
func writeGeneration(ctx context.Context, h *resource.Host, r resource.Resource, dir, key string, m *aptrepo.Manifest) (string, error) {
	files, err := m.Indexes(func(text string, at time.Time) (clear, detached string, err error) {
		return h.SignRelease(ctx, r, text, at)
	})
	if err != nil {
		return "", err
	}
	files[publicKey] = []byte(key)
	name := digest(string(files[aptrepo.ManifestFile]) + key)[:16]
	folder := path.Join(generations, name)
	if err := os.RemoveAll(h.Path(path.Join(dir, folder))); err != nil { // of an interrupted run
		return "", err
	}
	for file, data := range files {
		below := path.Join(folder, file)
		if err := makeFolders(h, dir, path.Dir(below)); err != nil {
			return "", err
		}
		if err := fillFile(h.Path(path.Join(dir, below)), bytes.NewReader(data)); err != nil {
			return "", err
		}
	}
	return name, keepFormer(h, dir, name)
}

// keepFormer keeps the indexes that hold now reachable by their hashes in the new generation: a node
// that has read the old Release file asks for them a moment later.
func keepFormer(h *resource.Host, dir, name string) error {
	former, err := filepath.Glob(h.Path(path.Join(dir, current, "dists/*/*/*/Packages*")))
	if err != nil {
		return err
	}
	top := h.Path(path.Join(dir, current))
	for _, file := range former {
		sum, _, err := sumFile(file)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(top, filepath.Dir(file))
		if err != nil {
			return err
		}
		to := path.Join(generations, name, below, "by-hash/SHA256")
		if err := makeFolders(h, dir, to); err != nil {
			return err
		}
		err = os.Link(file, filepath.Join(h.Path(path.Join(dir, to)), sum))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// switchTo makes a generation the one that holds, and removes all others.
func switchTo(h *resource.Host, dir, label, name string) error {
	for link, to := range map[string]string{
		"dists":              current + "/dists",
		aptrepo.ManifestFile: current + "/" + aptrepo.ManifestFile,
		label + ".asc":       current + "/" + publicKey,
	} {
		if err := setLink(h.Path(path.Join(dir, link)), to); err != nil {
			return err
		}
	}
	if err := setLink(h.Path(path.Join(dir, current)), path.Join(generations, name)); err != nil {
		return err
	}
	entries, err := os.ReadDir(h.Path(path.Join(dir, generations)))
	if err != nil {
		return err
	}
	var failed []error
	for _, e := range entries {
		if e.Name() != name {
			failed = append(failed, os.RemoveAll(h.Path(path.Join(dir, generations, e.Name()))))
		}
	}
	return errors.Join(failed...)
}

// setLink makes a link in one step, or leads one that is there to another place.
func setLink(link, to string) error {
	if at, err := os.Readlink(link); err == nil && at == to {
		return nil
	}
	temp := link + ".pigsty"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(to, temp); err != nil {
		return err
	}
	if err := os.Rename(temp, link); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(link))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// check makes sure before anybody sees a new generation that apt accepts it, and that every node's
// packages can be installed from it alone.
func (b *build) check(ctx context.Context, name string) error {
	for i := range b.r.Suites {
		s := &b.r.Suites[i]
		err := checkSuite(ctx, b.h, b.r.Label, path.Join(b.r.Path, generations, name), b.r.Key, s, b.want.Suite(s.Codename, s.Arch).Missing)
		if err != nil {
			return &incompleteError{s, err}
		}
	}
	return nil
}

// incompleteError is a repository that has not all that a node needs.
type incompleteError struct {
	suite *Suite
	err   error
}

func (e *incompleteError) Error() string {
	return fmt.Sprintf("the new repository for %s/%s is not whole, and nothing was changed: %v", e.suite.Codename, e.suite.Arch, e.err)
}

func (e *incompleteError) Unwrap() error { return e.err }

// checkSuite installs, in a folder where nothing is installed, what each node of a suite wants, from
// a generation alone.
func checkSuite(ctx context.Context, h *resource.Host, label, generation, key string, s *Suite, missing []string) error {
	a := &root{h: h, dir: path.Join(cacheDir, label, "check-"+s.Codename+"-"+s.Arch), arch: s.Arch}
	if err := a.open(); err != nil {
		return err
	}
	defer os.RemoveAll(h.Path(a.dir))
	keyPath := path.Join(a.dir, "keys", publicKey)
	if err := h.WriteFile(keyPath, []byte(key), fileMode); err != nil {
		return err
	}
	line := fmt.Sprintf("deb [signed-by=%s] file:%s %s main\n", keyPath, generation, s.Codename)
	if err := a.setSources(map[string]string{"check.list": line}); err != nil {
		return err
	}
	if err := a.update(ctx, line); err != nil {
		return resource.ExplainApt(err)
	}
	_, err := a.sequences(ctx, s, missing)
	return err
}

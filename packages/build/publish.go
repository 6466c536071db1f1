package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"pigsty/internal/localfile"
)

// publish puts packages and their manifest into a folder. What another run put there stays, less
// what these replace: the same package for the same architecture.
func publish(dir string, made []artifact) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	unlock, err := localfile.Lock(filepath.Join(dir, ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	before, err := readManifest(dir)
	if err != nil {
		return err
	}
	all := slices.Clone(made)
	for _, a := range made {
		if err := copyFile(filepath.Join(a.dir, a.File), filepath.Join(dir, a.File)); err != nil {
			return err
		}
	}
	for _, old := range before {
		replaced := slices.ContainsFunc(made, old.samePlace)
		if !replaced {
			all = append(all, old)
			continue
		}
		if slices.ContainsFunc(made, func(a artifact) bool { return a.File == old.File }) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, old.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	slices.SortFunc(all, func(a, b artifact) int { return cmp.Compare(a.File, b.File) })
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return localfile.Write(filepath.Join(dir, manifestName), append(text, '\n'), 0o644)
}

// samePlace tells whether one package takes the place of another in a repository.
func (a artifact) samePlace(b artifact) bool {
	return a.Name == b.Name && a.Architecture == b.Architecture && a.Format == b.Format
}

// readManifest gives what a folder's manifest lists and the folder still has.
func readManifest(dir string) ([]artifact, error) {
	path := filepath.Join(dir, manifestName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []artifact
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w; delete it, and it is written anew", path, err)
	}
	return slices.DeleteFunc(all, func(a artifact) bool {
		_, err := os.Stat(filepath.Join(dir, a.File))
		return err != nil
	}), nil
}

// copyFile puts a copy in place, whole or not at all. The cache's own file is not linked: nobody
// shall change it by changing the copy.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	if err := out.Chmod(0o644); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

package collector

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pigsty/internal/diag"
)

// Source is a folder of definitions, or one file in it.
type Source struct {
	FS    fs.FS
	Path  string // of a folder or file in FS
	Shown string // what the folder or file is called in messages; empty = Path

	Builtin bool // they ship with the exporter
}

// File is a source on this machine: a file, or a folder of them.
func File(path string) Source {
	dir, name := filepath.Split(filepath.Clean(path))
	if dir == "" {
		dir = "."
	}
	return Source{FS: os.DirFS(dir), Path: name, Shown: path}
}

// Load reads sources in order. In a folder, files that end in .yml or .yaml are read in the order
// of their names. A later source replaces collectors of earlier ones, or changes them where its
// definition has no query; within one source a collector is defined once. The error has every
// problem, with its place.
func Load(sources ...Source) (*Set, error) {
	set, problems := &Set{}, diag.List{}
	for _, s := range sources {
		if err := s.read(set, &problems); err != nil {
			return nil, err
		}
	}
	problems.Sort()
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return set, nil
}

func (s Source) read(set *Set, problems *diag.List) error {
	names, err := s.files()
	if err != nil {
		return fmt.Errorf("read collectors: %w", err)
	}
	in := map[string]diag.Pos{}
	for _, name := range names {
		data, err := fs.ReadFile(s.FS, name)
		if err != nil {
			return fmt.Errorf("read collectors: %w", err)
		}
		r := reader{file: s.shown(name), builtin: s.Builtin, set: set, in: in, problems: problems}
		r.read(data)
	}
	return nil
}

func (s Source) files() ([]string, error) {
	info, err := fs.Stat(s.FS, s.Path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{s.Path}, nil
	}
	entries, err := fs.ReadDir(s.FS, s.Path)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".yml" || ext == ".yaml") && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, filepath.Join(s.Path, e.Name()))
		}
	}
	slices.Sort(out)
	return out, nil
}

func (s Source) shown(name string) string {
	if s.Shown == "" {
		return name
	}
	return filepath.Join(s.Shown, strings.TrimPrefix(name, s.Path))
}

package repository

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"pigsty/internal/fact"
	"pigsty/internal/resource"
)

// ownSourcesFile is what pigsty itself adds to a node's sources: the repository that is being made.
const ownSourcesFile = "pigsty.sources"

const (
	aptDir     = "/etc/apt"
	trustedDir = "/etc/apt/trusted.gpg.d"
)

// sourceFiles are the node's own sources, whatever else apt is told to read.
func sourceFiles(h *resource.Host) ([]fact.AptFile, error) {
	paths := []string{path.Join(aptDir, "sources.list")}
	for _, pattern := range []string{"*.list", "*.sources"} {
		found, err := filepath.Glob(h.Path(path.Join(aptDir, "sources.list.d", pattern)))
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			paths = append(paths, path.Join(aptDir, "sources.list.d", filepath.Base(file)))
		}
	}
	var files []fact.AptFile
	for _, file := range paths {
		if path.Base(file) == ownSourcesFile {
			continue
		}
		text, err := os.ReadFile(h.Path(file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the node's package sources: %w", err)
		}
		files = append(files, fact.AptFile{Name: path.Base(file), Text: string(text)})
	}
	return files, nil
}

// keyFile matches the path of a key in a file of sources, in either form.
var keyFile = regexp.MustCompile(`(?i)(signed-by\s*[:=]\s*)(/[^\s\],]+)`)

// ReadSources reads where the node's apt takes packages from, with the keys for them.
func ReadSources(h *resource.Host) (fact.AptSources, error) {
	files, err := sourceFiles(h)
	if err != nil {
		return fact.AptSources{}, err
	}
	s := fact.AptSources{Files: files, Keys: map[string][]byte{}}
	trusted, err := filepath.Glob(h.Path(path.Join(trustedDir, "*")))
	if err != nil {
		return fact.AptSources{}, err
	}
	var keys []string
	for _, file := range trusted {
		keys = append(keys, path.Join(trustedDir, filepath.Base(file)))
	}
	for _, f := range files {
		for _, m := range keyFile.FindAllStringSubmatch(f.Text, -1) {
			keys = append(keys, m[2])
		}
	}
	for _, file := range keys {
		data, err := os.ReadFile(h.Path(file))
		if errors.Is(err, fs.ErrNotExist) {
			continue // apt itself will say that it is missing
		}
		if err != nil {
			return fact.AptSources{}, fmt.Errorf("read a key of the node's package sources: %w", err)
		}
		s.Keys[file] = data
	}
	return s, nil
}

// place puts another node's sources into a root, and their keys with them.
func place(s *fact.AptSources, a *root) (map[string]string, error) {
	a.foreign = true
	moved := map[string]string{}
	for _, file := range slices.Sorted(maps.Keys(s.Keys)) {
		to := path.Join(a.dir, "keys", strings.ReplaceAll(strings.Trim(file, "/"), "/", "-"))
		if err := a.h.WriteFile(to, s.Keys[file], 0o644); err != nil {
			return nil, err
		}
		moved[file] = to
	}
	files := map[string]string{}
	for _, f := range s.Files {
		files[f.Name] = keyFile.ReplaceAllStringFunc(f.Text, func(match string) string {
			m := keyFile.FindStringSubmatch(match)
			if to := moved[m[2]]; to != "" {
				return m[1] + to
			}
			return match
		})
	}
	return files, nil
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// manifestName is the file beside the packages that says what they are.
const manifestName = "manifest.json"

// artifact is what the manifest says of one package.
type artifact struct {
	File         string `json:"file"` // beside the manifest
	Name         string `json:"name"`
	Version      string `json:"version"` // with the recipe's revision, as apt and dnf show it
	Architecture string `json:"architecture"`
	Format       string `json:"format"`
	Size         int64  `json:"size"` // bytes
	SHA256       string `json:"sha256"`
	Origin       string `json:"origin"` // where its source comes from
	Licence      string `json:"licence"`

	dir string // where the file is before it is published
}

// descriptionName is the file in a cached package's folder with its line of the manifest.
const descriptionName = "package.json"

// describe tells what the one package in a folder is.
func describe(dir string, r *recipe, arch, format string) (artifact, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*."+format))
	if err != nil {
		return artifact{}, err
	}
	if len(found) != 1 {
		return artifact{}, fmt.Errorf("nfpm made %d packages instead of one", len(found))
	}
	info, err := os.Stat(found[0])
	if err != nil {
		return artifact{}, err
	}
	sum, err := hashFile(found[0])
	if err != nil {
		return artifact{}, err
	}
	return artifact{
		File: filepath.Base(found[0]), Name: r.Name, Version: fmt.Sprintf("%s-%d", r.version, r.Revision),
		Architecture: arch, Format: format, Size: info.Size(), SHA256: sum, Origin: r.origin(), Licence: r.Licence,
	}, nil
}

// origin names the source of what is compiled: a module and its version, or this repository's.
func (r *recipe) origin() string {
	if r.ours() {
		return r.Build.Package + "@" + r.told
	}
	return r.Build.Upstream + "@" + r.upstream
}

func (a artifact) write(dir string) error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, descriptionName), text, 0o644)
}

func readArtifact(dir string) (artifact, error) {
	a := artifact{dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, descriptionName))
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(text, &a)
}

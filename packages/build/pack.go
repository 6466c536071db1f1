package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maintainer is who answers for the packages.
const maintainer = "pigsty <pigsty@localhost>"

// nfpmConfig is what nfpm is told, in the words of its configuration. JSON is YAML as well.
type nfpmConfig struct {
	Name            string    `json:"name"`
	Arch            string    `json:"arch"`
	Platform        string    `json:"platform"`
	Version         string    `json:"version"`
	VersionSchema   string    `json:"version_schema"`
	Release         string    `json:"release"`
	Section         string    `json:"section"`
	Priority        string    `json:"priority"`
	Maintainer      string    `json:"maintainer"`
	Description     string    `json:"description"`
	Homepage        string    `json:"homepage"`
	License         string    `json:"license"`
	MTime           time.Time `json:"mtime"`
	DisableGlobbing bool      `json:"disable_globbing"`
	Depends         []string  `json:"depends,omitempty"`
	Recommends      []string  `json:"recommends,omitempty"`
	Suggests        []string  `json:"suggests,omitempty"`
	Conflicts       []string  `json:"conflicts,omitempty"`
	Replaces        []string  `json:"replaces,omitempty"`
	Provides        []string  `json:"provides,omitempty"`
	Scripts         scripts   `json:"scripts"`
	Contents        []content `json:"contents"`
	Deb             debConfig `json:"deb"`
	RPM             rpmConfig `json:"rpm"`
}

// scripts are paths of maintainer scripts.
type scripts struct {
	PostInstall string `json:"postinstall,omitempty"`
	PreRemove   string `json:"preremove,omitempty"`
	PostRemove  string `json:"postremove,omitempty"`
}

type debConfig struct {
	Compression string `json:"compression"`
}

type rpmConfig struct {
	Compression string `json:"compression"`
	Summary     string `json:"summary"`
	BuildHost   string `json:"buildhost"` // nfpm would write this machine's name
}

// pack makes one package in one format, now or earlier, and gives it with what the manifest says.
func (b *builder) pack(ctx context.Context, r *recipe, arch, format string, contents []content, stage string) (artifact, error) {
	config, err := r.config(arch, format, contents, stage)
	if err != nil {
		return artifact{}, err
	}
	fill := func(temp string) error { return b.packInto(ctx, config, r, arch, format, temp) }
	if r.ours() {
		dir, err := os.MkdirTemp(b.work, "package-")
		if err != nil {
			return artifact{}, err
		}
		if err := fill(dir); err != nil {
			return artifact{}, err
		}
		return readArtifact(dir)
	}
	version, err := requiredVersion(b.toolsMod(), nfpmModule)
	if err != nil {
		return artifact{}, err
	}
	name, err := config.key(format, version)
	if err != nil {
		return artifact{}, err
	}
	dir, found, err := b.cache.entry(ctx, r.subject(arch), name, fill)
	if err != nil {
		return artifact{}, err
	}
	if found {
		b.say("%s: %s packed before", r.subject(arch), format)
	}
	return readArtifact(dir)
}

// config is what nfpm is told of a recipe.
func (r *recipe) config(arch, format string, contents []content, stage string) (nfpmConfig, error) {
	s, err := r.scripts(stage)
	if err != nil {
		return nfpmConfig{}, err
	}
	var mine []content
	for _, c := range contents {
		if c.Format == "" || c.Format == format {
			mine = append(mine, c)
		}
	}
	rel := r.Relations[format]
	return nfpmConfig{
		Name: r.Name, Arch: arch, Platform: "linux",
		Version: r.version, VersionSchema: "none", Release: strconv.Itoa(r.Revision),
		Section: r.Section, Priority: "optional", Maintainer: maintainer,
		Description: r.description(format),
		Homepage:    r.Homepage, License: r.Licence, MTime: r.mtime, DisableGlobbing: true,
		Depends: rel.Depends, Recommends: rel.Recommends, Suggests: rel.Suggests,
		Conflicts: rel.Conflicts, Replaces: rel.Replaces, Provides: rel.Provides,
		Scripts: s, Contents: mine,
		Deb: debConfig{Compression: "zstd"},
		RPM: rpmConfig{Compression: "zstd", Summary: r.Summary, BuildHost: "localhost"},
	}, nil
}

// description is the text about the package; that of a .deb begins with the summary, an .rpm has it
// apart.
func (r *recipe) description(format string) string {
	about := strings.TrimSpace(r.About)
	if format == "deb" {
		return r.Summary + "\n" + about
	}
	return about
}

// key names a package by all that it is made of: the configuration, with content in place of
// paths, and nfpm itself.
func (c nfpmConfig) key(format, nfpm string) (string, error) {
	paths := []*string{&c.Scripts.PostInstall, &c.Scripts.PreRemove, &c.Scripts.PostRemove}
	c.Contents = slices.Clone(c.Contents)
	for i := range c.Contents {
		if c.Contents[i].Type != typeSymlink {
			paths = append(paths, &c.Contents[i].From)
		}
	}
	for _, path := range paths {
		if *path == "" {
			continue
		}
		sum, err := hashFile(*path)
		if err != nil {
			return "", err
		}
		*path = sum
	}
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return format + "-" + key(string(text), nfpm), nil
}

// packInto runs nfpm and describes what it made.
func (b *builder) packInto(ctx context.Context, config nfpmConfig, r *recipe, arch, format, dir string) error {
	nfpm, err := b.nfpm(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	text, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(b.work, "nfpm-*.yaml")
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(text); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if _, err := runCommand(ctx, dir, os.Environ(), nfpm, "package", "--config", file.Name(), "--packager", format, "--target", dir); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	made, err := describe(dir, r, arch, format)
	if err != nil {
		return err
	}
	b.say("%s: packed %s, %d MB, in %s", r.subject(arch), made.File, (made.Size+500_000)/1_000_000, since(began))
	return made.write(dir)
}

// nfpmModule is the packager's module, pinned with the other tools.
const nfpmModule = "github.com/goreleaser/nfpm/v2"

func (b *builder) toolsMod() string { return filepath.Join(b.root, "tools", "go.mod") }

// nfpm gives the path of the packager, which is built first when Go's cache does not have it.
func (b *builder) nfpm(ctx context.Context) (string, error) {
	out, err := goCommand{dir: b.root}.output(ctx, "tool", "-modfile="+b.toolsMod(), "-n", "nfpm")
	if err != nil {
		return "", fmt.Errorf("build nfpm, which makes the packages: %w", err)
	}
	return strings.TrimSpace(out), nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

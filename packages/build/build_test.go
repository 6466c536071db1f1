package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// site is a copy of the recipes under testdata, with a cache and an output folder of its own.
type site struct {
	t                   *testing.T
	recipes, cache, out string
}

func newSite(t *testing.T) *site {
	dir := t.TempDir()
	s := &site{t: t, recipes: filepath.Join(dir, "recipes"), cache: filepath.Join(dir, "cache"), out: filepath.Join(dir, "out")}
	if err := os.CopyFS(s.recipes, os.DirFS("testdata/recipes")); err != nil {
		t.Fatal(err)
	}
	return s
}

// build runs the builder and gives what it said.
func (s *site) build(args ...string) (string, error) {
	var said bytes.Buffer
	err := run(s.t.Context(), append([]string{"-recipes", s.recipes, "-cache", s.cache, "-out", s.out}, args...), &said)
	return said.String(), err
}

func (s *site) must(args ...string) string {
	s.t.Helper()
	said, err := s.build(args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return said
}

// manifest gives what is in the output folder, by file name.
func (s *site) manifest() map[string]artifact {
	s.t.Helper()
	all, err := readManifest(s.out)
	if err != nil {
		s.t.Fatal(err)
	}
	out := make(map[string]artifact)
	for _, a := range all {
		sum, err := hashFile(filepath.Join(s.out, a.File))
		if err != nil || sum != a.SHA256 {
			s.t.Errorf("%s: the manifest has another checksum than the file (%v)", a.File, err)
		}
		out[a.File] = a
	}
	return out
}

// write replaces a file of a recipe.
func (s *site) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.recipes, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func toyDeb() string { return "toy_1.2.0-3_" + runtime.GOARCH + ".deb" }

func TestManifestSaysWhatWasBuilt(t *testing.T) {
	s := newSite(t)
	s.must("-arch", "amd64,arm64", "toy")
	got := s.manifest()
	want := map[string]string{
		"toy_1.2.0-3_amd64.deb": "amd64", "toy_1.2.0-3_arm64.deb": "arm64",
		"toy-1.2.0-3.x86_64.rpm": "amd64", "toy-1.2.0-3.aarch64.rpm": "arm64",
	}
	if len(got) != len(want) {
		t.Errorf("the manifest lists %d packages, want %d", len(got), len(want))
	}
	for file, arch := range want {
		a := got[file]
		if a.Name != "toy" || a.Version != "1.2.0-3" || a.Architecture != arch || a.Size == 0 ||
			a.Origin != "example.org/greeting@v1.2.0" || a.Licence != "MIT" || "."+a.Format != filepath.Ext(file) {
			t.Errorf("%s: %+v", file, a)
		}
	}
}

// Two machines that build the same recipe get the same packages, wherever it lies and whatever
// their users set.
func TestSameInputGivesSameBytes(t *testing.T) {
	first, second := newSite(t), newSite(t)
	first.must("toy")
	t.Setenv("GOAMD64", "v3")
	t.Setenv("GOFLAGS", "-tags=other -p=1")
	if err := os.Chmod(filepath.Join(second.recipes, "toy", "config.yml"), 0o600); err != nil {
		t.Fatal(err)
	}
	second.must("toy")
	a, b := first.manifest(), second.manifest()
	if len(a) != 2 {
		t.Fatalf("%d packages, want 2", len(a))
	}
	for file := range a {
		if a[file].SHA256 != b[file].SHA256 {
			t.Errorf("%s differs between two builds", file)
		}
	}
}

func TestSourceDateEpochIsTheTimeOfEveryFile(t *testing.T) {
	s := newSite(t)
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	s.must("-format", "deb", "toy")
	for _, m := range dataOf(t, filepath.Join(s.out, toyDeb())) {
		if m.ModTime.Unix() != 1700000000 {
			t.Errorf("%s is of %s", m.Name, m.ModTime)
		}
	}
}

// Only what changed is made again: a program for its source, a package for its files.
func TestCacheIsUsedAgain(t *testing.T) {
	s := newSite(t)
	expect := func(what, said string, want ...string) {
		t.Helper()
		for _, words := range []string{"compiled in", "compiled before", "packed toy", "deb packed before"} {
			if strings.Contains(said, words) != slices.Contains(want, words) {
				t.Errorf("%s: %q is wrong about %q", what, said, words)
			}
		}
	}
	lacking := func(when, want string) {
		t.Helper()
		if said := s.must("-lacking", "toy"); said != want {
			t.Errorf("%s, what lacks is %q, want %q", when, said, want)
		}
	}
	lacking("at first", "toy\n")
	expect("first", s.must("-format", "deb", "toy"), "compiled in", "packed toy")
	first := s.manifest()[toyDeb()]
	expect("again", s.must("-format", "deb", "toy"), "compiled before", "deb packed before")
	s.write("toy/config.yml", "greeting: bye\n")
	expect("other file", s.must("-format", "deb", "toy"), "compiled before", "packed toy")
	if s.manifest()[toyDeb()].SHA256 == first.SHA256 {
		t.Error("the package with another file is the old one")
	}
	lacking("with another file", "")
	s.write("toy/greeting/cmd/toy/more.go", "package main\n\nfunc init() { version += \"!\" }\n")
	lacking("with another source", "toy\n")
	expect("other source", s.must("-format", "deb", "toy"), "compiled in", "packed toy")
}

func TestTwoBuildersShareOneBuild(t *testing.T) {
	s := newSite(t)
	said, errs := make([]string, 2), make([]error, 2)
	var group sync.WaitGroup
	for i := range 2 {
		group.Go(func() { said[i], errs[i] = s.build("-format", "deb", "toy") })
	}
	group.Wait()
	if errs[0] != nil || errs[1] != nil {
		t.Fatal(errs)
	}
	if n := strings.Count(said[0]+said[1], "compiled in"); n != 1 {
		t.Errorf("compiled %d times:\n%s", n, said)
	}
	if len(s.manifest()) != 1 {
		t.Errorf("the manifest lists %v", s.manifest())
	}
}

// What an interrupted build left is no package, and in nobody's way.
func TestInterruptedBuildIsDoneAgain(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var said bytes.Buffer
	err := run(ctx, []string{"-recipes", s.recipes, "-cache", s.cache, "-out", s.out, "toy"}, &said)
	if err == nil {
		t.Fatal("an interrupted build succeeds")
	}
	if len(s.manifest()) != 0 {
		t.Errorf("the manifest lists %v", s.manifest())
	}
	subject := filepath.Join(s.cache, "toy-"+runtime.GOARCH)
	c := cache{dir: s.cache, say: func(string, ...any) {}}
	if err := os.MkdirAll(filepath.Join(subject, "entry.building", "half"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir, found, err := c.entry(t.Context(), filepath.Base(subject), "entry", func(temp string) error {
		return os.WriteFile(filepath.Join(temp, "whole"), nil, 0o644)
	})
	if err != nil || found {
		t.Fatal(found, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "whole" {
		t.Errorf("the entry holds %v, %v", entries, err)
	}
}

// One package that cannot be built is told of once, with what to do, and keeps nobody waiting.
func TestUnreachableModulesStopOnlyTheirPackage(t *testing.T) {
	s := newSite(t)
	t.Setenv("GOPROXY", "off")
	_, err := s.build("-format", "deb", "absent", "toy")
	if err == nil {
		t.Fatal("a package without its modules was built")
	}
	for _, want := range []string{"absent for " + runtime.GOARCH, "example.org/absent", "GOPROXY (off)", filepath.Join(s.cache, "absent-"+runtime.GOARCH)} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "toy") {
		t.Errorf("the error tells of a package that was built: %v", err)
	}
	if _, ok := s.manifest()[toyDeb()]; !ok {
		t.Error("the package that can be built was not")
	}
}

// A program that needs C would depend on the machine that builds it.
func TestProgramsWithCAreRefused(t *testing.T) {
	s := newSite(t)
	s.write("toy/greeting/cmd/toy/c.go", "package main\n\n// int one(void) { return 1; }\nimport \"C\"\n\nvar _ = C.one\n")
	s.write("toy/package.yaml", strings.Replace(s.text("toy/package.yaml"), "  binary:", "  tags: [cgo]\n  binary:", 1))
	if _, err := s.build("-format", "deb", "toy"); err == nil || !strings.Contains(err.Error(), "compile example.org/greeting/cmd/toy") {
		t.Errorf("building it gives %v", err)
	}
}

func (s *site) text(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.recipes, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

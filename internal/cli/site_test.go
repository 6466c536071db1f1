package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pigsty/bench/fleet"
)

// site is an inventory in a folder of its own, and simulated nodes to carry it out on.
type site struct {
	t     *testing.T
	dir   string
	file  string
	fleet *fleet.Fleet
}

// answer is what a command line gave.
type answer struct {
	code     int
	out, err string
}

func newSite(t *testing.T, text string) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, dir: dir, file: filepath.Join(dir, "site.yml"), fleet: fleet.New(t.TempDir())}
	s.write(text)
	return s
}

// sandboxSite is the site of conf/sandbox.yml.
func sandboxSite(t *testing.T) *site {
	t.Helper()
	text, err := os.ReadFile("../../conf/sandbox.yml")
	if err != nil {
		t.Fatal(err)
	}
	return newSite(t, string(text))
}

func (s *site) write(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.file, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// edit replaces a part of the inventory.
func (s *site) edit(before, after string) {
	s.t.Helper()
	text, err := os.ReadFile(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	if !strings.Contains(string(text), before) {
		s.t.Fatalf("the inventory does not say %q", before)
	}
	s.write(strings.Replace(string(text), before, after, 1))
}

// run runs a command line as main does, on the site's inventory and nodes.
func (s *site) run(args ...string) answer {
	s.t.Helper()
	var out, errw bytes.Buffer
	a := &app{in: strings.NewReader(""), out: &out, err: &errw, dial: s.fleet.Dial}
	code := a.run(s.t.Context(), append([]string{"-i", s.file}, args...))
	return answer{code, out.String(), errw.String()}
}

// must fails the test when a command line ends with another code than wanted.
func (s *site) must(code int, args ...string) answer {
	s.t.Helper()
	got := s.run(args...)
	if got.code != code {
		s.t.Fatalf("pigsty %s: exit code %d, want %d\n%s\n%s", strings.Join(args, " "), got.code, code, got.out, got.err)
	}
	return got
}

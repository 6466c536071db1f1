package repository_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pigsty/internal/aptrepo"
	"pigsty/internal/deb"
	"pigsty/internal/fact"
	"pigsty/internal/golden"
	"pigsty/internal/openpgp"
	"pigsty/internal/resource"
	"pigsty/internal/resource/repository"
)

const dir = "/www/pigsty"

// site is a node that is to have a repository.
type site struct {
	t       *testing.T
	h       *resource.Host
	archive *archive
	key     *openpgp.Key
	step    string // the resource that is being applied
}

func newSite(t *testing.T, world ...deb.Package) *site {
	t.Helper()
	root := t.TempDir()
	s := &site{t: t, archive: &archive{t: t, root: root, world: world}}
	seed := sha256.Sum256([]byte(t.Name()))
	s.key = openpgp.NewKey(seed[:], "test")
	s.h = &resource.Host{Root: root, Exec: s.archive}
	s.h.SignRelease = func(_ context.Context, r resource.Resource, text string, at time.Time) (string, string, error) {
		if id := resource.ID(r); id != s.step {
			return "", "", fmt.Errorf("%s asks for a signature, and %s is being applied", id, s.step)
		}
		return s.key.ClearSigned(text, at), s.key.Detached([]byte(text), at), nil
	}
	s.put("/etc/apt/sources.list.d/debian.sources", "Types: deb\nURIs: http://archive.example/debian\nSuites: trixie\nComponents: main\n")
	s.put("/etc/apt/sources.list.d/pigsty.sources", "Types: deb\nURIs: file:/www/pigsty/\nSuites: trixie\nComponents: main\n")
	return s
}

func (s *site) put(path, text string) {
	s.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(s.h.Path(path)), 0o755), os.WriteFile(s.h.Path(path), []byte(text), 0o644)); err != nil {
		s.t.Fatal(err)
	}
}

// wanting is a repository that has to have the sets, each a list of names.
func (s *site) wanting(sets ...string) *repository.Repository {
	var profile []aptrepo.Set
	places := map[string]string{}
	for _, set := range sets {
		profile = append(profile, aptrepo.Set{Packages: strings.Fields(set)})
		for _, name := range strings.Fields(set) {
			places[name] = "site.yml:7:3"
		}
	}
	return &repository.Repository{
		Path: dir, Label: "pigsty", Key: s.key.Armored(), OwnSources: true,
		Suites: []repository.Suite{{Codename: "trixie", Arch: "amd64", Profiles: [][]aptrepo.Set{profile}, Places: places}},
	}
}

func (s *site) diff(r resource.Resource) *resource.Change {
	s.t.Helper()
	before := s.tree()
	c, err := r.Diff(context.Background(), s.h)
	if err != nil {
		s.t.Fatal(err)
	}
	if after := s.tree(); before != after {
		s.t.Errorf("a look has changed the repository from\n%s\nto\n%s", before, after)
	}
	return c
}

func (s *site) apply(r resource.Resource) error {
	s.step = resource.ID(r)
	return r.Apply(context.Background(), s.h)
}

// converge builds, after a trip over the wire, and expects that nothing is left to do and that this
// is told without asking apt.
func (s *site) converge(r resource.Resource) *resource.Change {
	s.t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		s.t.Fatal(err)
	}
	if r, err = resource.Decode(r.Kind(), text); err != nil {
		s.t.Fatal(err)
	}
	c := s.diff(r)
	if c == nil {
		s.t.Fatal("there is nothing to do")
	}
	if err := s.apply(r); err != nil {
		s.t.Fatal(err)
	}
	calls := len(s.archive.calls)
	if again := s.diff(r); again != nil {
		s.t.Errorf("still to do: %+v", again)
	}
	refreshes := false
	if b, ok := r.(*repository.Repository); ok {
		refreshes = b.Refresh
	}
	if len(s.archive.calls) != calls && !refreshes {
		s.t.Errorf("a look at a repository that is in order ran %q", s.archive.calls[calls:])
	}
	return c
}

// holds are the packages of the repository, as its index has them.
func (s *site) holds() []string {
	s.t.Helper()
	packages, err := s.archive.index("signed-by=/www/pigsty/pigsty.asc]", dir, "trixie", "amd64")
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, p := range packages {
		text, err := os.ReadFile(s.h.Path(filepath.Join(dir, p.Filename)))
		if err != nil {
			s.t.Error(err)
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != p.SHA256 {
			s.t.Errorf("%s is not what the index says", p.Filename)
		}
		all = append(all, p.Name+"="+p.Version)
	}
	return all
}

func (s *site) expect(want ...string) {
	s.t.Helper()
	if got := s.holds(); !slices.Equal(got, want) {
		s.t.Errorf("the repository has %q, want %q", got, want)
	}
}

func (s *site) notes() string { return strings.Join(s.h.TakeNotes(), "\n") }

// tree lists everything below the repository: modes, and what links lead to.
func (s *site) tree() string {
	s.t.Helper()
	var lines []string
	err := filepath.WalkDir(s.h.Path(dir), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, s.h.Path(dir))
		line := fmt.Sprintf("%04o %s", info.Mode().Perm(), name)
		if entry.Type() == fs.ModeSymlink {
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line = "link " + name + " -> " + to
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

var small = []deb.Package{
	made("db", "17.1-1", "Depends: libdb", "Source: database (17.1)"), made("libdb", "17.1-1", "Source: database (17.1)"),
	made("tool", "1:2.0"), made("base", "12", "Priority: required"), made("other", "1"),
}

// hex numbers follow from the key and the date, which are another each time.
var changing = regexp.MustCompile(`[0-9a-f]{16,64}|Date: .*`)

func TestBuild(t *testing.T) {
	s := newSite(t, small...)
	c := s.converge(s.wanting("db tool"))
	if c.Action != resource.Create {
		t.Errorf("action %s", c.Action)
	}
	s.expect("base=12", "db=17.1-1", "libdb=17.1-1", "tool=1:2.0")
	var b strings.Builder
	b.WriteString(changing.ReplaceAllString(s.tree(), "…") + "\n")
	for _, file := range []string{"dists/trixie/Release", "dists/trixie/main/binary-amd64/Packages", "manifest.json"} {
		text, err := os.ReadFile(s.h.Path(filepath.Join(dir, file)))
		if err != nil {
			t.Fatal(err)
		}
		dated := regexp.MustCompile(`"date": ".*"`).ReplaceAllString(string(text), `"date": "…"`)
		b.WriteString("\n== " + file + "\n" + changing.ReplaceAllString(dated, "…"))
	}
	golden.Compare(t, "testdata/small.txt", regexp.MustCompile(`… \d+ main/binary-amd64/Packages.gz`).ReplaceAllString(b.String(), "… … main/binary-amd64/Packages.gz"))
}

func TestPlanTellsWhatComes(t *testing.T) {
	s := newSite(t, small...)
	s.converge(s.wanting("db"))
	got := fmt.Sprint(s.diff(s.wanting("db", "tool nothere")).Fields)
	for _, want := range []string{"tool:amd64  1:2.0", "without nothere", "3 files", "4 files"} {
		if !strings.Contains(got, want) {
			t.Errorf("the plan does not say %q: %s", want, got)
		}
	}
	if notes := s.notes(); !strings.Contains(notes, "site.yml:7:3: package nothere is in no source for trixie/amd64") {
		t.Errorf("notes %q", notes)
	}
}

// What no source has is told each time, and does not keep the rest away; nor does it make the
// repository unfinished for ever.
func TestMissingPackage(t *testing.T) {
	s := newSite(t, small...)
	r := s.wanting("db nothere")
	s.converge(r)
	s.expect("base=12", "db=17.1-1", "libdb=17.1-1")
	s.notes()
	s.diff(r)
	if notes := s.notes(); !strings.Contains(notes, "package nothere is in no source") {
		t.Errorf("notes %q", notes)
	}
	s.archive.world = append(s.archive.world, made("nothere", "1"))
	r.Refresh = true
	s.age()
	s.converge(r)
	s.expect("base=12", "db=17.1-1", "libdb=17.1-1", "nothere=1")
}

// age has apt's lists be old.
func (s *site) age() {
	old := time.Now().Add(-48 * time.Hour)
	files, err := filepath.Glob(s.h.Path("/var/cache/pigsty/repository/*/*/refreshed"))
	if err != nil || len(files) == 0 {
		s.t.Fatalf("no lists: %v", err)
	}
	for _, file := range files {
		if err := os.Chtimes(file, old, old); err != nil {
			s.t.Fatal(err)
		}
	}
}

// A rebuild adds newer versions and keeps the former ones until it is told to prune.
func TestRebuild(t *testing.T) {
	s := newSite(t, small...)
	r := s.wanting("db", "other")
	s.converge(r)
	r.Refresh = true
	if c := s.diff(r); c != nil {
		t.Errorf("nothing is new, and yet: %+v", c)
	}
	tree := s.tree()
	if err := s.apply(r); err != nil || s.tree() != tree {
		t.Errorf("a rebuild with nothing new has changed something: %v", err)
	}
	s.archive.world = append(s.archive.world, made("libdb", "17.2-1", "Source: database (17.2)"))
	s.age()
	if got := fmt.Sprint(s.converge(r).Fields); !strings.Contains(got, "libdb:amd64 17.1-1 17.2-1") {
		t.Errorf("the plan says %s", got)
	}
	s.expect("base=12", "db=17.1-1", "libdb=17.1-1", "libdb=17.2-1", "other=1")
	r = s.wanting("db")
	if c := s.diff(r); c != nil {
		t.Errorf("what is wanted no more would go without being told to: %+v", c)
	}
	r.Refresh, r.Prune = true, true
	s.converge(r)
	s.expect("base=12", "db=17.1-1", "libdb=17.2-1")
	if got := s.tree(); strings.Contains(got, "libdb_17.1") || strings.Contains(got, "other") {
		t.Errorf("files are left:\n%s", got)
	}
}

// The indexes say of themselves that they are newer than those before, though both are built within
// a second.
func TestDatesGrow(t *testing.T) {
	s := newSite(t, small...)
	date := func() time.Time {
		text, err := os.ReadFile(s.h.Path(dir + "/manifest.json"))
		if err != nil {
			t.Fatal(err)
		}
		m, err := aptrepo.ReadManifest(text)
		if err != nil {
			t.Fatal(err)
		}
		return m.Date
	}
	s.converge(s.wanting("db"))
	first := date()
	s.converge(s.wanting("db", "tool"))
	if second := date(); !second.After(first) || !second.Before(time.Now()) {
		t.Errorf("%s and then %s", first, second)
	}
}

// A client that has read the old Release file still finds the index that it names.
func TestFormerIndexStays(t *testing.T) {
	s := newSite(t, small...)
	s.converge(s.wanting("db"))
	old, err := os.ReadFile(s.h.Path(dir + "/dists/trixie/main/binary-amd64/Packages"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(old)
	s.converge(s.wanting("db", "tool"))
	got, err := os.ReadFile(s.h.Path(dir + "/dists/trixie/main/binary-amd64/by-hash/SHA256/" + hex.EncodeToString(sum[:])))
	if err != nil || !bytes.Equal(got, old) {
		t.Errorf("the former index is gone: %v", err)
	}
}

// A build that fails half-way leaves what was there, and the next goes on from where it was.
func TestFailedBuild(t *testing.T) {
	s := newSite(t, small...)
	s.converge(s.wanting("db"))
	before := s.holds()
	s.archive.failDownload = "tool"
	r := s.wanting("db", "other tool")
	err := s.apply(r)
	if err == nil || !strings.Contains(err.Error(), "Connection timed out") {
		t.Errorf("error %v", err)
	}
	s.expect(before...)
	s.archive.failDownload = ""
	s.converge(r)
	s.expect("base=12", "db=17.1-1", "libdb=17.1-1", "other=1", "tool=1:2.0")
}

func TestUnreachableSources(t *testing.T) {
	s := newSite(t, small...)
	s.archive.unreachable = true
	r := s.wanting("db")
	if c := s.diff(r); c == nil || c.Action != resource.Create {
		t.Errorf("the plan is %+v", c)
	}
	if notes := s.notes(); !strings.Contains(notes, "Temporary failure resolving 'archive.example'") {
		t.Errorf("notes %q", notes)
	}
	err := s.apply(r)
	if err == nil || !strings.Contains(err.Error(), "Temporary failure resolving 'archive.example'; mend the way to the sources") {
		t.Errorf("error %v", err)
	}
}

// Without sources nothing is fetched: what is there has to do.
func TestOffline(t *testing.T) {
	s := newSite(t, small...)
	r := s.wanting("db")
	r.OwnSources = false
	if err := s.apply(r); err == nil || !strings.Contains(err.Error(), "unpack a bundle") {
		t.Errorf("error %v", err)
	}
	s.converge(s.wanting("db", "tool"))
	r = s.wanting("libdb", "tool other")
	r.OwnSources = false
	s.converge(r)
	if notes := s.notes(); !strings.Contains(notes, "package other is not in the repository for trixie/amd64, and repo_upstreams is empty") {
		t.Errorf("notes %q", notes)
	}
	for _, call := range s.archive.calls {
		if strings.Contains(call, "download") && strings.Contains(call, "other") {
			t.Errorf("asked for what is not there: %s", call)
		}
	}
}

func TestDamagedFile(t *testing.T) {
	s := newSite(t, small...)
	r := s.wanting("db")
	s.converge(r)
	file := dir + "/pool/d/database/db_17.1-1_amd64.deb"
	s.put(file, "something else")
	if got := fmt.Sprint(s.converge(r).Fields); !strings.Contains(got, "db_17.1-1_amd64.deb 14 bytes as it was packaged") {
		t.Errorf("the plan says %s", got)
	}
	s.expect("base=12", "db=17.1-1", "libdb=17.1-1")
	if err := os.Remove(s.h.Path(file)); err != nil {
		t.Fatal(err)
	}
	s.archive.world = s.archive.world[1:]
	err := s.apply(r)
	if err == nil {
		t.Fatal("a package that is gone everywhere is no problem")
	}
	s.archive.world = small
	s.converge(r)
}

// Files that a web server cannot read, or that somebody else could write, are put right.
func TestModes(t *testing.T) {
	s := newSite(t, small...)
	r := s.wanting("db")
	s.converge(r)
	for path, mode := range map[string]fs.FileMode{"/pool/d": 0o700, "/pool/d/database/db_17.1-1_amd64.deb": 0o600, "": 0o777} {
		if err := os.Chmod(s.h.Path(dir+path), mode); err != nil {
			t.Fatal(err)
		}
	}
	if c := s.converge(r); len(c.Fields) != 3 {
		t.Errorf("%+v", c.Fields)
	}
}

func TestOtherKey(t *testing.T) {
	s := newSite(t, small...)
	s.converge(s.wanting("db"))
	seed := sha256.Sum256([]byte("another"))
	s.key = openpgp.NewKey(seed[:], "test")
	if got := fmt.Sprint(s.converge(s.wanting("db")).Fields); !strings.Contains(got, "signatures of another key of the deployment's key") {
		t.Errorf("the plan says %s", got)
	}
	s.expect("base=12", "db=17.1-1", "libdb=17.1-1")
}

func TestDamagedManifest(t *testing.T) {
	s := newSite(t, small...)
	r := s.wanting("db")
	s.converge(r)
	s.put(dir+"/manifest.json", "{")
	s.converge(r)
	if notes := s.notes(); !strings.Contains(notes, "is built anew") {
		t.Errorf("notes %q", notes)
	}
	downloads := 0
	for _, call := range s.archive.calls {
		if strings.Contains(call, " download ") {
			downloads++
		}
	}
	if downloads != 1 {
		t.Errorf("%d downloads: what was there was fetched again", downloads)
	}
}

// Packages that cannot be on one node together can be in one repository.
func TestConflicts(t *testing.T) {
	s := newSite(t, made("ntp", "1", "Conflicts: chrony"), made("chrony", "1"), made("a", "1"))
	r := s.wanting("a chrony")
	r.Suites[0].Profiles = append(r.Suites[0].Profiles, []aptrepo.Set{{Packages: []string{"ntp", "a"}}})
	s.converge(r)
	s.expect("a=1", "chrony=1", "ntp=1")
	err := s.apply(s.wanting("ntp chrony"))
	if err == nil || !strings.Contains(err.Error(), "ntp chrony cannot be installed") {
		t.Errorf("error %v", err)
	}
	s.expect("a=1", "chrony=1", "ntp=1")
}

// What one set leaves to choose, a node decides before another set comes: both choices are there.
func TestOrderOfInstallation(t *testing.T) {
	s := newSite(t, made("web", "1", "Depends: small | large"), made("small", "1"), made("large", "1"))
	s.converge(s.wanting("web", "large"))
	s.expect("large=1", "small=1", "web=1")
}

func TestFurtherPackages(t *testing.T) {
	s := newSite(t, made("db-ext-a", "1"), made("db-ext-b", "1", "Conflicts: db-ext-a"), made("db", "1"), made("broken", "1", "Depends: gone"))
	r := s.wanting("db")
	r.Suites[0].Extra = []string{"db-ext-*", "broken", "none-*"}
	s.converge(r)
	s.expect("db=1", "db-ext-a=1", "db-ext-b=1")
	if notes := s.notes(); !strings.Contains(notes, "package none-* is in no source") {
		t.Errorf("notes %q", notes)
	}
}

// Of two releases each has what is its own, and a pattern is for the one that has something like it.
func TestTwoReleases(t *testing.T) {
	s := newSite(t, made("db", "1"), made("ext-1", "1"))
	r := s.wanting("db")
	r.Suites = append(r.Suites, repository.Suite{
		Codename: "bookworm", Arch: "amd64", Profiles: r.Suites[0].Profiles, Extra: []string{"ext-*"},
		Sources: &fact.AptSources{
			Files: []fact.AptFile{{Name: "debian.sources", Text: "Types: deb\nURIs: http://archive.example/debian\nSigned-By: /keys/debian.gpg\n"}},
			Keys:  map[string][]byte{"/keys/debian.gpg": []byte("key")},
		},
	})
	r.Suites[0].Extra = []string{"none-*"}
	r.Suites[1].Extra = append(r.Suites[1].Extra, "none-*")
	s.converge(r)
	s.expect("db=1")
	older, err := s.archive.index("", dir, "bookworm", "amd64")
	if err != nil || len(older) != 2 {
		t.Errorf("the other release has %+v, %v", older, err)
	}
	sources, err := os.ReadFile(s.h.Path("/var/cache/pigsty/repository/pigsty/bookworm-amd64/sources/debian.sources"))
	if err != nil || !strings.Contains(string(sources), "Signed-By: /var/cache/pigsty/repository/pigsty/bookworm-amd64/keys/keys-debian.gpg") {
		t.Errorf("%s, %v", sources, err)
	}
	got, err := repository.Look(context.Background(), s.h, repository.Query{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, suite := range got.Manifest.Suites {
		if strings.Join(suite.Missing, " ") != "none-*" {
			t.Errorf("%s misses %q", suite.Name(), suite.Missing)
		}
	}
}

// supply gives packages as the controller does.
func (s *site) supply(packages ...deb.Package) []repository.File {
	var files []repository.File
	for _, p := range packages {
		files = append(files, repository.File{Name: p.FileName(), Size: p.Size, SHA256: p.SHA256})
	}
	s.h.ReadSupply = func(_ context.Context, _ resource.Resource, name string, offset int64) ([]byte, error) {
		for _, p := range packages {
			if text := data(p); p.FileName() == name {
				return []byte(text[offset:min(int64(len(text)), offset+7)]), nil
			}
		}
		return nil, fmt.Errorf("there is no %s", name)
	}
	return files
}

func TestOwnPackages(t *testing.T) {
	s := newSite(t, made("libc", "1"))
	loki := made("loki", "3.0", "Depends: libc", "License: AGPL-3.0", "Architecture: amd64")
	r := s.wanting("loki")
	r.Files = s.supply(loki)
	s.converge(r)
	s.expect("libc=1", "loki=3.0")
	got, err := repository.Look(context.Background(), s.h, repository.Query{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	if p := got.Manifest.Find("loki:amd64=3.0"); p.Origin != aptrepo.OriginOwn || p.Licence != "AGPL-3.0" {
		t.Errorf("%+v", p)
	}
	// The next build does not bring it again, and does not lose it.
	r = s.wanting("loki", "libc")
	r.Refresh, r.Prune = true, true
	s.converge(r)
	s.expect("libc=1", "loki=3.0")
	r.Files = s.supply(made("loki", "3.0", "Description: another one"))
	if err := s.apply(r); err == nil || !strings.Contains(err.Error(), "is another file than the one") {
		t.Errorf("error %v", err)
	}
	s.expect("libc=1", "loki=3.0")
}

func TestPackageByAddress(t *testing.T) {
	s := newSite(t, made("libc", "1"), made("far", "1", "Depends: libc"))
	r := s.wanting("libc")
	r.Downloads = []repository.Download{{URL: "https://far.example/far_1_amd64.deb", SHA256: s.archive.world[1].SHA256}}
	s.converge(r)
	s.expect("far=1", "libc=1")
	r.Downloads = []repository.Download{{URL: "https://far.example/gone.deb"}}
	if err := s.apply(r); err == nil || !strings.Contains(err.Error(), "gone.deb: fetch: apt: Failed to fetch") {
		t.Errorf("error %v", err)
	}
}

func TestUpstreams(t *testing.T) {
	s := newSite(t, small...)
	r := s.wanting("db")
	r.OwnSources = false
	r.Upstreams = []repository.Upstream{
		{Name: "one", Lines: []string{"http://archive.example/debian ${distro_codename} main"}, Key: s.key.Armored()},
		{Name: "elsewhere", Lines: []string{"http://other.example/debian bookworm main"}, Codenames: []string{"bookworm"}},
	}
	s.converge(r)
	files, err := filepath.Glob(s.h.Path("/var/cache/pigsty/repository/pigsty/trixie-amd64/sources/*"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(strings.ReplaceAll(string(text), s.h.Root, ""))
	}
	if got, want := all.String(), "deb [arch=amd64 signed-by=/var/cache/pigsty/repository/pigsty/trixie-amd64/keys/one.asc] http://archive.example/debian trixie main\n"; got != want {
		t.Errorf("the sources are\n%s\nand not\n%s", got, want)
	}
	s = newSite(t, small...)
	s.archive.unreachable = true
	r.Upstreams[0].Optional, r.Key = true, s.key.Armored()
	if err := s.apply(r); err == nil || !strings.Contains(err.Error(), "there is no package in the repository") {
		t.Errorf("error %v", err)
	}
	if notes := s.notes(); !strings.Contains(notes, "source one cannot be reached, and is left out") {
		t.Errorf("notes %q", notes)
	}
}

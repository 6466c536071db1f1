package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pigsty/internal/aptrepo"
	"pigsty/internal/controller"
	"pigsty/internal/deb"
	"pigsty/internal/golden"
	"pigsty/internal/openpgp"
)

const repoSite = `
all:
  children:
    meta: { vars: { meta_node: true }, hosts: { 10.10.10.10: {}, 10.10.10.11: { nginx_enabled: false } } }
`

// bundleOf is a bundle with these packages, each given as name=version, and the fingerprint of its key.
func bundleOf(t *testing.T, ids ...string) (path, fingerprint string) {
	t.Helper()
	m := &aptrepo.Manifest{Format: aptrepo.Format, Name: "elsewhere", Date: time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)}
	m.SetSuite(aptrepo.Suite{Codename: "trixie", Arch: "amd64", Sets: []aptrepo.Set{{Packages: []string{"db"}}}, Missing: []string{"gone"}})
	for _, id := range ids {
		name, version, _ := strings.Cut(id, "=")
		sum := sha256.Sum256([]byte(id))
		p := aptrepo.New(deb.Package{
			Name: name, Version: version, Architecture: "amd64", Source: name, Size: int64(len(id)), SHA256: hex.EncodeToString(sum[:]),
			Control: deb.Stanza{{Name: "Package", Value: name}, {Name: "Version", Value: version}, {Name: "Architecture", Value: "amd64"}},
		}, "trixie", "Debian:13/stable")
		if err := m.Add(p); err != nil {
			t.Fatal(err)
		}
		m.Suites[0].Newest = []string{p.ID()} // the last one is the newest
	}
	seed := sha256.Sum256([]byte("elsewhere"))
	key := openpgp.NewKey(seed[:], "elsewhere")
	path = filepath.Join(t.TempDir(), "bundle.tar")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = aptrepo.WriteBundle(f, m, key, func(p aptrepo.Package) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(p.Name + "=" + p.Version)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return path, key.Fingerprint()
}

// A bundle comes to the node, is seen there, and goes out again as another of the deployment's own key.
func TestRepoBundle(t *testing.T) {
	s := newSite(t, repoSite)
	if got := s.must(exitFailed, "repo", "list"); !strings.Contains(got.err, "10.10.10.10 has no package repository: build it with pigsty repo build") {
		t.Error(got.err)
	}
	if got := s.must(exitFailed, "repo", "pack", filepath.Join(s.dir, "none.tar")); !strings.Contains(got.err, "it has no package repository in /www/pigsty: build it first") {
		t.Error(got.err)
	}
	bundle, signer := bundleOf(t, "db=1.9", "db=1.10")
	s.must(exitFailed, "repo", "unpack", bundle, "-y", "--signed-by", strings.Repeat("A", 40))
	s.must(exitPending, "repo", "unpack", bundle, "--plan")
	s.must(exitOK, "repo", "unpack", bundle, "-y", "--signed-by", strings.ToLower(signer))
	if got := s.must(exitOK, "repo", "unpack", bundle); !strings.Contains(got.out, "Nothing to do") {
		t.Errorf("unpacked again:\n%s", got.out)
	}
	golden.Compare(t, "testdata/repo_list.txt", s.must(exitOK, "repo", "list").out)
	if got := s.must(exitOK, "repo", "list", "x*").out; strings.Contains(got, "1.10") {
		t.Errorf("a list of other packages:\n%s", got)
	}
	if got := s.must(exitFailed, "repo", "list", "[").err; !strings.Contains(got, `pattern "["`) {
		t.Error(got)
	}

	out := filepath.Join(s.dir, "out.tar")
	var packed controller.Packed
	if err := json.Unmarshal([]byte(s.must(exitOK, "repo", "pack", out, "-o", "json").out), &packed); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if packed.SHA256 != hex.EncodeToString(sum[:]) || packed.Packages != 2 || packed.Fingerprint == signer {
		t.Errorf("%+v", packed)
	}
	b, err := aptrepo.OpenBundle(out)
	if err != nil {
		t.Fatal(err)
	}
	if b.Key.Fingerprint() != packed.Fingerprint || b.Manifest.Name != "pigsty" || len(b.Manifest.Packages) != 2 {
		t.Errorf("%s, %+v", b.Key, b.Manifest)
	}
	again := filepath.Join(s.dir, "again.tar")
	s.must(exitOK, "repo", "pack", again)
	if second, err := os.ReadFile(again); err != nil || !bytes.Equal(data, second) {
		t.Errorf("two bundles of one repository differ: %v", err)
	}
}

func TestRepoRefusesDamagedBundle(t *testing.T) {
	s := newSite(t, repoSite)
	s.fleet.Down = func(addr string) error {
		t.Errorf("%s was reached", addr)
		return nil
	}
	bundle, _ := bundleOf(t, "db=1")
	data, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bundle, data[:len(data)-1600], 0o600); err != nil {
		t.Fatal(err)
	}
	if got := s.must(exitFailed, "repo", "unpack", bundle, "-y"); !strings.Contains(got.err, "is no whole bundle: ") || !strings.Contains(got.err, "nothing was changed") {
		t.Error(got.err)
	}
	s.must(exitFailed, "repo", "unpack", filepath.Join(s.dir, "none.tar"), "-y")
}

// What is wrong is told, and makes the exit code 2.
func TestRepoVerify(t *testing.T) {
	s := newSite(t, repoSite)
	bundle, _ := bundleOf(t, "db=1")
	s.must(exitOK, "repo", "unpack", bundle, "-y")
	file := filepath.Join(s.fleet.Root("10.10.10.10"), "www/pigsty/pool/d/db/db_1_amd64.deb")
	if err := os.WriteFile(file, []byte("db=2"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := s.must(exitPending, "repo", "verify")
	for _, want := range []string{"pool/d/db/db_1_amd64.deb is not as it was packaged: damaged\n", "it was not built for what is wanted together on trixie/amd64", " on 10.10.10.10 is not whole, "} {
		if !strings.Contains(got.out, want) {
			t.Errorf("it does not say %q:\n%s", want, got.out)
		}
	}
	if got := s.must(exitFailed, "repo", "pack", filepath.Join(s.dir, "out.tar")); !strings.Contains(got.err, "pool/d/db/db_1_amd64.deb is damaged") {
		t.Error(got.err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "out.tar")); err == nil {
		t.Error("a bundle was written all the same")
	}
}

func TestRepoNeedsAHost(t *testing.T) {
	s := newSite(t, "all: { hosts: { 10.10.10.10: {} } }")
	bundle, _ := bundleOf(t, "db=1")
	for _, args := range [][]string{{"build", "-y"}, {"pack", filepath.Join(s.dir, "x.tar")}, {"unpack", bundle, "-y"}, {"verify"}, {"list"}} {
		if got := s.must(exitFailed, append([]string{"repo"}, args...)...); !strings.Contains(got.err, "it is on nodes with meta_node where nginx_enabled is true") {
			t.Errorf("%s: %s", args[0], got.err)
		}
	}
	s = newSite(t, repoSite)
	if got := s.must(exitFailed, "repo", "build", "-y", "--packages", s.dir); !strings.Contains(got.err, "has no package (*.deb)") {
		t.Error(got.err)
	}
}

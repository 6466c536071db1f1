package aptrepo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pigsty/internal/aptrepo"
	"pigsty/internal/golden"
)

func TestManifestComesBack(t *testing.T) {
	m := manifest(t)
	text, err := m.Text()
	if err != nil {
		t.Fatal(err)
	}
	again, err := aptrepo.ReadManifest(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, again); diff != "" {
		t.Error(diff)
	}
	golden.Compare(t, "testdata/manifest.json", string(text))
}

func TestManifestRefuses(t *testing.T) {
	m := manifest(t)
	text, err := m.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []struct{ before, after, want string }{
		{`"format": 1`, `"format": 2`, "has format 2"},
		{`"pool/a/a/a_1_amd64.deb"`, `"pool/../../etc/a_1_amd64.deb"`, "has no proper file"},
		{`"pool/a/a/a_1_amd64.deb"`, `"/etc/a_1_amd64.deb"`, "has no proper file"},
		{`"pool/a/a/a_1_amd64.deb"`, `"pool/a/a/a_2_amd64.deb"`, "has no proper file"},
		{`"pool/a/a/a_1_amd64.deb"`, `"dists/a_1_amd64.deb"`, "has no proper file"},
		{`{`, `[`, "read manifest.json"},
	} {
		changed := strings.Replace(string(text), change.before, change.after, 1)
		if _, err := aptrepo.ReadManifest([]byte(changed)); err == nil || !strings.Contains(err.Error(), change.want) {
			t.Errorf("%s: %v", change.after, err)
		}
	}
}

func TestAdd(t *testing.T) {
	m := manifest(t)
	other := pkg("a", "1", "amd64")
	other.Suites = []string{"bookworm"}
	if err := m.Add(other); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(m.Find("a:amd64=1").Suites, " "); got != "bookworm trixie" {
		t.Errorf("it is for %s", got)
	}
	other.SHA256 = strings.Repeat("0", 64)
	if err := m.Add(other); err == nil || !strings.Contains(err.Error(), "is another file than the one") {
		t.Errorf("another file of the same name: %v", err)
	}
	epoch := pkg("a", "1:1", "amd64")
	if err := m.Add(epoch); err != nil {
		t.Fatal(err)
	}
	if one, two := m.Find("a:amd64=1").File, m.Find("a:amd64=1:1").File; one == two || !aptrepo.IsPoolFile(two) {
		t.Errorf("two versions have the files %s and %s", one, two)
	}
}

func TestPrune(t *testing.T) {
	m := manifest(t)
	dropped := m.Prune()
	if len(dropped) != 1 || dropped[0].ID() != "a:amd64=1" || m.Find("a:amd64=1") != nil || len(m.Packages) != 2 {
		t.Errorf("dropped %+v", dropped)
	}
}

func TestContentIgnoresTheDate(t *testing.T) {
	one, two := manifest(t), manifest(t)
	two.Date = two.Date.Add(time.Hour)
	a, err := one.Content()
	if err != nil {
		t.Fatal(err)
	}
	b, err := two.Content()
	if err != nil || a != b {
		t.Errorf("%s and %s, %v", a, b, err)
	}
}

// In whatever order packages come, the repository is the same.
func TestAddInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []aptrepo.Package
		for range rapid.IntRange(0, 8).Draw(t, "count") {
			name := rapid.StringMatching(`[a-c]`).Draw(t, "name")
			version := rapid.SampledFrom([]string{"1", "1:1", "1.10", "1.9", "1~rc1"}).Draw(t, "version")
			all = append(all, pkg(name, version, rapid.SampledFrom([]string{"amd64", "all"}).Draw(t, "arch")))
		}
		build := func(packages []aptrepo.Package) string {
			m := &aptrepo.Manifest{Format: aptrepo.Format, Date: at}
			m.SetSuite(aptrepo.Suite{Codename: "trixie", Arch: "amd64"})
			if err := m.Add(packages...); err != nil {
				t.Fatal(err)
			}
			files, err := m.Indexes(func(text string, _ time.Time) (string, string, error) { return text, text, nil })
			if err != nil {
				t.Fatal(err)
			}
			// Which of two files of one name has a folder of its own is all that may differ.
			var lines []string
			for line := range strings.Lines(string(files["dists/trixie/main/binary-amd64/Packages"])) {
				if !strings.HasPrefix(line, "Filename:") {
					lines = append(lines, line)
				}
			}
			return strings.Join(lines, "")
		}
		if one, two := build(all), build(rapid.Permutation(all).Draw(t, "order")); one != two {
			t.Fatalf("%s\nand\n%s", one, two)
		}
	})
}

func TestIndexes(t *testing.T) {
	m := manifest(t)
	k := key("site")
	files, err := m.Indexes(func(text string, at time.Time) (string, string, error) {
		return k.ClearSigned(text, at), k.Detached([]byte(text), at), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Packages", "Release"} {
		path := "dists/trixie/" + name
		if name == "Packages" {
			path = "dists/trixie/main/binary-amd64/" + name
		}
		golden.Compare(t, "testdata/"+name, string(files[path]))
	}
	if err := k.Verify(files["dists/trixie/Release"], string(files["dists/trixie/Release.gpg"])); err != nil {
		t.Error(err)
	}
	for path, data := range files {
		if strings.Contains(path, "/Packages.gz") && len(data) == 0 {
			t.Error("an empty index")
		}
	}
	byHash := 0
	for path := range files {
		if strings.Contains(path, "by-hash/SHA256/") {
			byHash++
		}
	}
	if byHash != 2 {
		t.Errorf("%d indexes can be had by their hash, of 2", byHash)
	}
}

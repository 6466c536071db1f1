package deb_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pigsty/internal/deb"
)

func pkg(name, version, sum string) deb.Package {
	return deb.Package{
		Name: name, Version: version, Architecture: "amd64", Source: name, SHA256: sum, Size: 3,
		Filename: "pool/" + name + ".deb",
		Control: deb.Stanza{
			{Name: "Package", Value: name},
			{Name: "Version", Value: version},
			{Name: "Architecture", Value: "amd64"},
			{Name: "MD5sum", Value: "weak"},
			{Name: "Filename", Value: "elsewhere"},
			{Name: "Description", Value: "it"},
		},
	}
}

func TestMerge(t *testing.T) {
	all, err := deb.Merge([]deb.Package{pkg("b", "1.10", "x"), pkg("a", "1", "y")}, []deb.Package{pkg("b", "1.9", "z"), pkg("a", "1", "y")})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, p := range all {
		ids = append(ids, p.ID())
	}
	if got := strings.Join(ids, " "); got != "a:amd64=1 b:amd64=1.9 b:amd64=1.10" {
		t.Error(got)
	}
	if v := deb.Newest(all)["b"].Version; v != "1.10" {
		t.Errorf("the newest b is %s", v)
	}
	if _, err := deb.Merge(all, []deb.Package{pkg("a", "1", "other")}); err == nil || !strings.Contains(err.Error(), "two files are a 1 for amd64") {
		t.Errorf("two files of one name: %v", err)
	}
}

func TestMergeInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.SliceOf(rapid.Custom(func(t *rapid.T) deb.Package {
			return pkg(rapid.StringMatching(`[a-c]`).Draw(t, "name"), version.Draw(t, "version"), "same")
		}))
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		one, err := deb.Merge(a, b)
		if err != nil {
			t.Fatal(err)
		}
		reversed := slices.Clone(a)
		slices.Reverse(reversed)
		two, err := deb.Merge(b, reversed)
		if err != nil {
			t.Fatal(err)
		}
		if deb.Index(one) != deb.Index(two) {
			t.Fatal("the order of what is merged matters")
		}
	})
}

func TestIndex(t *testing.T) {
	got := deb.Index([]deb.Package{pkg("a", "1", "aa"), pkg("b", "2", "bb")})
	want := `Package: a
Version: 1
Architecture: amd64
Description: it
Filename: pool/a.deb
Size: 3
SHA256: aa

Package: b
Version: 2
Architecture: amd64
Description: it
Filename: pool/b.deb
Size: 3
SHA256: bb
`
	if got != want {
		t.Error(got)
	}
}

func TestRead(t *testing.T) {
	stanzas, err := deb.Parse("Package: libpq5\nSource: postgresql-17 (17.6-1)\nVersion: 1:17.6-0+deb13u1\nArchitecture: amd64\nFilename: pool/main/p/x.deb\nSize: 12\nSHA256: ab\n")
	if err != nil {
		t.Fatal(err)
	}
	p, err := deb.Read(stanzas[0])
	if err != nil {
		t.Fatal(err)
	}
	if p.Source != "postgresql-17" || p.Size != 12 || p.FileName() != "libpq5_17.6-0+deb13u1_amd64.deb" {
		t.Errorf("%+v", p)
	}
	if got := p.PoolPath(); got != "pool/p/postgresql-17/libpq5_17.6-0+deb13u1_amd64.deb" {
		t.Error(got)
	}
	p.Source = "libxml2"
	if got := p.PoolPath(); !strings.HasPrefix(got, "pool/libx/libxml2/") {
		t.Error(got)
	}
	if _, err := deb.Read(deb.Stanza{{Name: "Package", Value: "x"}}); err == nil || !strings.Contains(err.Error(), "without Version") {
		t.Error(err)
	}
}

func TestRelease(t *testing.T) {
	r := deb.Release{
		Origin: "pigsty", Label: "pigsty", Suite: "trixie", Codename: "trixie", Date: time.Unix(0, 0),
		Architectures: []string{"amd64"}, Components: []string{"main"}, Description: "packages",
		Files: []deb.IndexFile{{Path: "main/binary-amd64/Packages", Size: 3, SHA256: "ab"}},
	}
	want := `Origin: pigsty
Label: pigsty
Suite: trixie
Codename: trixie
Date: Thu, 01 Jan 1970 00:00:00 UTC
Acquire-By-Hash: yes
Architectures: amd64
Components: main
Description: packages
SHA256:
 ab 3 main/binary-amd64/Packages
`
	if got := r.String(); got != want {
		t.Error(got)
	}
}

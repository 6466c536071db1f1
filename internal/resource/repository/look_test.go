package repository_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"pigsty/internal/aptrepo"
	"pigsty/internal/resource"
	"pigsty/internal/resource/repository"
)

func (s *site) verify(r *repository.Repository) []string {
	s.t.Helper()
	got, err := repository.Look(context.Background(), s.h, repository.Query{
		Path: dir, Label: "pigsty", Key: s.key.Armored(), Verify: true, Suites: r.Suites,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return got.Problems
}

func TestVerify(t *testing.T) {
	s := newSite(t, small...)
	r := s.wanting("db", "tool")
	s.converge(r)
	if got := s.verify(r); len(got) > 0 {
		t.Fatalf("a whole repository has %q", got)
	}
	for _, c := range []struct {
		what   string
		damage func() error
		want   string
	}{
		{"another set", func() error { return nil }, "it was not built for what is wanted together on trixie/amd64: other"},
		{"a changed file", func() error {
			return os.WriteFile(s.h.Path(dir+"/pool/t/tool/tool_2.0_amd64.deb"), []byte("x"), 0o644)
		}, "pool/t/tool/tool_2.0_amd64.deb is not as it was packaged: 1 bytes"},
		{"a file that is gone", func() error { return os.Remove(s.h.Path(dir + "/pool/d/database/db_17.1-1_amd64.deb")) }, "db_17.1-1_amd64.deb is missing"},
		{"a folder nobody can read", func() error { return os.Chmod(s.h.Path(dir+"/pool"), 0o700) }, "pool has mode or owner 0700"},
		{"a file of somebody", func() error { return os.WriteFile(s.h.Path(dir+"/pool/own.deb"), nil, 0o644) }, "pool/own.deb is in no index"},
		{"a changed index", func() error {
			return os.WriteFile(s.h.Path(dir+"/dists/trixie/main/binary-amd64/Packages"), []byte("x"), 0o644)
		}, "dists/trixie/main/binary-amd64/Packages does not say what manifest.json does"},
	} {
		if err := c.damage(); err != nil {
			t.Fatal(err)
		}
		if c.what == "another set" {
			r = s.wanting("db", "tool", "other")
		}
		if got := strings.Join(s.verify(r), "\n"); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.what, got)
		}
	}
}

func TestUnpack(t *testing.T) {
	from := newSite(t, small...)
	from.converge(from.wanting("db", "tool"))
	state, err := repository.Look(context.Background(), from.h, repository.Query{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string) []byte {
		text, err := os.ReadFile(from.h.Path(dir + "/" + name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var bundle bytes.Buffer
	if err := aptrepo.WriteBundle(&bundle, state.Manifest, from.key, func(p aptrepo.Package) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(file(p.File))), nil
	}); err != nil {
		t.Fatal(err)
	}

	to := newSite(t)
	to.archive.unreachable = true
	asked := 0
	to.h.ReadSupply = func(_ context.Context, _ resource.Resource, name string, offset int64) ([]byte, error) {
		asked++
		if asked == 3 {
			return nil, errors.New("the line is cut")
		}
		return file(name)[offset:], nil
	}
	u := &repository.Unpacked{Path: dir, Label: "pigsty", Key: to.key.Armored(), Bundle: state.Manifest}
	if err := to.apply(u); err == nil || !strings.Contains(err.Error(), "the line is cut") {
		t.Fatal(err)
	}
	if _, err := os.Stat(to.h.Path(dir + "/manifest.json")); err == nil {
		t.Error("half a bundle is published")
	}
	to.converge(u)
	to.expect("base=12", "db=17.1-1", "libdb=17.1-1", "tool=1:2.0")
	// What it was built for needs nothing else, and another combination of the same is worked out
	// from what is there.
	r := to.wanting("db", "tool")
	r.OwnSources = false
	if c := to.diff(r); c != nil {
		t.Errorf("still to do: %+v", c)
	}
	other := to.wanting("db tool")
	other.OwnSources = false
	to.converge(other)
	if got := to.verify(other); len(got) > 0 {
		t.Errorf("problems %q", got)
	}
}

func TestUnpackOverAnother(t *testing.T) {
	from := newSite(t, append(small, made("more", "1"))...)
	from.converge(from.wanting("more"))
	state, err := repository.Look(context.Background(), from.h, repository.Query{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	to := newSite(t, small...)
	to.converge(to.wanting("db"))
	to.h.ReadSupply = func(_ context.Context, _ resource.Resource, name string, offset int64) ([]byte, error) {
		text, err := os.ReadFile(from.h.Path(dir + "/" + name))
		if err != nil {
			return nil, err
		}
		return text[offset:], nil
	}
	to.converge(&repository.Unpacked{Path: dir, Label: "pigsty", Key: to.key.Armored(), Bundle: state.Manifest})
	to.expect("base=12", "db=17.1-1", "libdb=17.1-1", "more=1")
	r := to.wanting("db")
	r.Suites[0].Profiles = append(r.Suites[0].Profiles, to.wanting("more").Suites[0].Profiles...)
	if c := to.diff(r); c != nil {
		t.Errorf("still to do: %+v", c)
	}
}

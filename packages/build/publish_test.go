package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A new version takes the place of the old one; other packages stay.
func TestPublishReplacesOnlyTheSamePackage(t *testing.T) {
	dir, from := t.TempDir(), t.TempDir()
	make := func(file, name, arch string) artifact {
		if err := os.WriteFile(filepath.Join(from, file), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		return artifact{File: file, Name: name, Architecture: arch, Format: "deb", dir: from}
	}
	foreign := filepath.Join(dir, "own_1_amd64.deb")
	if err := os.WriteFile(foreign, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, made := range [][]artifact{
		{make("a_1_amd64.deb", "a", "amd64"), make("a_1_arm64.deb", "a", "arm64"), make("b_1_amd64.deb", "b", "amd64")},
		{make("a_2_amd64.deb", "a", "amd64")},
		{make("a_2_amd64.deb", "a", "amd64")},
	} {
		if err := publish(dir, made); err != nil {
			t.Fatal(err)
		}
	}
	listed, err := readManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range listed {
		names = append(names, a.File)
	}
	if want := []string{"a_1_arm64.deb", "a_2_amd64.deb", "b_1_amd64.deb"}; !slices.Equal(names, want) {
		t.Errorf("the manifest lists %q, want %q", names, want)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(found) != 4 || !slices.Contains(found, foreign) {
		t.Errorf("the folder holds %q, %v", found, err)
	}
}

func TestExpireTakesWhatNobodyWanted(t *testing.T) {
	c := cache{dir: t.TempDir(), say: t.Logf}
	entry := func(name string) string {
		t.Helper()
		dir, _, err := c.entry(t.Context(), "toy-amd64", name, func(temp string) error {
			return os.WriteFile(filepath.Join(temp, "program"), nil, 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	old, wanted := entry("old"), entry("wanted")
	long := time.Now().Add(-2 * unusedFor)
	for _, dir := range []string{old, wanted} {
		if err := os.Chtimes(dir, long, long); err != nil {
			t.Fatal(err)
		}
	}
	entry("wanted")
	if err := c.expire(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("what nobody wanted for two months stays")
	}
	if _, err := os.Stat(wanted); err != nil {
		t.Errorf("what is wanted again was taken: %v", err)
	}
}

package remote

import (
	"os"
	"path/filepath"
	"testing"
)

// Two programs share a name on a node only when they are the same one.
func TestIdentity(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(own)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if noteOf(f) == nil {
		t.Error("Go's build ID is not found in a program that has one")
	}
	seen := map[string]string{}
	for name, content := range map[string][]byte{
		"the program": program, "longer": append(program[:len(program):len(program)], 0),
		"a script": []byte("#!/bin/sh\n"), "another": []byte("#!/bin/sh\n\n"),
	} {
		path := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(path, content, 0o755); err != nil {
			t.Fatal(err)
		}
		hash, err := identity(path)
		if err != nil || len(hash) != 16 {
			t.Errorf("%s: %q, %v", name, hash, err)
		}
		if other := seen[hash]; other != "" {
			t.Errorf("%s and %s are both %s", name, other, hash)
		}
		seen[hash] = name
	}
	if same, err := identity(own); err != nil || seen[same] != "the program" {
		t.Errorf("a copy is another one: %v", err)
	}
}

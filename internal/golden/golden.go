// Package golden compares what a compile gives with files that people have read and accepted.
// It is for tests only: go test -update rewrites the files.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	udiff "github.com/aymanbagabas/go-udiff"
)

var update = flag.Bool("update", false, "rewrite golden files with what the tests got")

// Compare fails the test with a unified diff when got is not what the file at path holds. With
// -update it writes the file instead.
func Compare(t testing.TB, path, got string) {
	t.Helper()
	if *update {
		write(t, path, got)
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read the accepted text: %v; go test -update writes it", err)
	}
	if diff := udiff.Unified(path, "got", string(want), got); diff != "" {
		t.Errorf("not what was accepted; go test -update accepts it\n%s", diff)
	}
}

func write(t testing.TB, path, got string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
		t.Fatal(err)
	}
}

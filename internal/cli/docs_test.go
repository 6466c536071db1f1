package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pigsty/internal/golden"
)

const commandPages = "../../docs/commands"

func TestCommandPages(t *testing.T) {
	fresh := t.TempDir()
	if err := writeDocs(fresh, "markdown"); err != nil {
		t.Fatal(err)
	}
	pages, err := os.ReadDir(fresh)
	if err != nil || len(pages) < 2 {
		t.Fatalf("wrote %v, %v", pages, err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(filepath.Join(fresh, page.Name()))
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, filepath.Join(commandPages, page.Name()), string(text))
	}
	accepted, err := os.ReadDir(commandPages)
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range accepted {
		if _, err := os.Stat(filepath.Join(fresh, page.Name())); errors.Is(err, fs.ErrNotExist) {
			t.Errorf("docs/commands/%s is of a command that is gone: remove it", page.Name())
		}
	}
}

func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	if err := writeDocs(dir, "man"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "pigsty.1"))
	if err != nil || !strings.Contains(string(text), `.SH NAME`) {
		t.Errorf("pigsty.1: %s, %v", text, err)
	}
}

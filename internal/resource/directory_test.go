package resource_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pigsty/internal/resource"
)

func TestDirectory(t *testing.T) {
	h := newNode(t)
	d := &resource.Directory{Path: "/data/postgres/pg-test-17", Mode: 0o700}
	converge(t, h, d, resource.Create)
	if info, err := os.Stat(h.Path("/data/postgres")); err != nil || info.Mode() != 0o755|fs.ModeDir {
		t.Errorf("parent: %v, %v", info.Mode(), err)
	}
	d.Mode = 0o750
	expectField(t, converge(t, h, d, resource.Update), "mode", "0700", "0750")
	d.Mode = 0o777 | fs.ModeSticky
	expectField(t, converge(t, h, d, resource.Update), "mode", "0750", "1777")

	d.Absent = true
	put(t, h, filepath.Join(d.Path, "precious"), "")
	h.TakeNotes()
	quiet(t, h, d)
	if notes := h.TakeNotes(); len(notes) != 1 || !strings.Contains(notes[0], "not empty") {
		t.Errorf("notes %q", notes)
	}
	if err := os.Remove(h.Path(filepath.Join(d.Path, "precious"))); err != nil {
		t.Fatal(err)
	}
	converge(t, h, d, resource.Delete)
	put(t, h, "/etc/file", "")
	refused(t, h, &resource.Directory{Path: "/etc/file"}, "is a file")
}

package resource_test

import (
	"os"
	"path/filepath"
	"testing"

	"pigsty/internal/resource"
)

// edition is what the program carries at the moment, in this test.
var edition = struct {
	name  string
	files map[string]string
}{"first", map[string]string{"index.html": "one", "alerts/a.html": "two", "old.html": "three"}}

var _ = resource.Ship("test", resource.Shipment{
	Edition: func() string { return edition.name },
	Files:   func() map[string]string { return edition.files },
})

func TestShipped(t *testing.T) {
	h := newNode(t)
	s := &resource.Shipped{Path: "/www/docs", Content: "test"}
	put(t, h, "/www/docs/own.html", "somebody's")
	converge(t, h, s, resource.Create)
	expectText := func(name, want string) {
		t.Helper()
		if text, err := os.ReadFile(h.Path(filepath.Join(s.Path, name))); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	expectText("alerts/a.html", "two")

	// What somebody changed or deleted is put back.
	put(t, h, "/www/docs/index.html", "changed")
	if err := os.Remove(h.Path("/www/docs/alerts/a.html")); err != nil {
		t.Fatal(err)
	}
	expectField(t, converge(t, h, s, resource.Update), "files", "2 missing or changed", "as shipped")
	expectText("index.html", "one")

	// A later edition takes away what it no longer has, and nothing else.
	edition.name, edition.files = "second", map[string]string{"index.html": "one", "new/b.html": "four"}
	expectField(t, converge(t, h, s, resource.Update), "edition", "first", "second")
	expectText("new/b.html", "four")
	expectText("own.html", "somebody's")
	if _, err := os.Stat(h.Path("/www/docs/old.html")); !os.IsNotExist(err) {
		t.Errorf("a page that is no longer shipped is still there: %v", err)
	}
	refused(t, h, &resource.Shipped{Path: "/www/x", Content: "nothing"}, "carries no files")
}

// A manifest that somebody wrote cannot have files outside of the folder deleted.
func TestShippedStaysInItsFolder(t *testing.T) {
	h := newNode(t)
	put(t, h, "/www/precious", "data")
	put(t, h, "/www/site/.shipped", "# zeroth\n00  ../precious\n")
	converge(t, h, &resource.Shipped{Path: "/www/site", Content: "test"}, resource.Update)
	if _, err := os.Stat(h.Path("/www/precious")); err != nil {
		t.Error(err)
	}
}

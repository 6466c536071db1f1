package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInventoryIsNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site.yml")
	for _, c := range []struct {
		text  string
		force bool
		want  string
	}{
		{"first", false, "first"}, {"second", false, "first"}, {"third", true, "third"},
	} {
		err := writeNew(path, c.text, c.force)
		text, readErr := os.ReadFile(path)
		if readErr != nil || string(text) != c.want || (err == nil) != (c.text == c.want) {
			t.Errorf("%+v: %v; the file says %q", c, err, text)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestConfigureLeavesNothingWhenItFails(t *testing.T) {
	s := newSite(t, "")
	if err := os.Remove(s.file); err != nil {
		t.Fatal(err)
	}
	if got := s.must(exitFailed, "configure", "--ip", "203.0.113.77"); !strings.HasPrefix(got.err, "pigsty: ") {
		t.Errorf("%s", got.err)
	}
	if _, err := os.Stat(s.file); err == nil {
		t.Error("an inventory was written")
	}
}

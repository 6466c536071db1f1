package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What may not be removed is refused before anything is touched, with the reason.
func TestRemoveRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		down string // a node that cannot be reached
		want string
	}{
		"protected":          {args: []string{"instance", "pg-test-2"}, want: "pg-test-2 is protected by pg_safeguard"},
		"a cluster":          {args: []string{"instance", "pg-test"}, want: "pg-test is a cluster: name one of its instances"},
		"nobody":             {args: []string{"instance", "pg-tset-2"}, want: "its clusters are pg-meta, pg-test"},
		"who may lead":       {args: []string{"instance", "pg-test-1", "-e", "pg_safeguard=false"}, want: "nobody says who leads pg-test"},
		"on a node off":      {args: []string{"instance", "pg-test-2", "-e", "pg_safeguard=false"}, down: "10.10.10.12", want: "10.10.10.12: i/o timeout"},
		"an unknown form":    {args: []string{"instance", "pg-test-2", "-o", "xml"}, want: "want one of table, json, yaml"},
		"an instance":        {args: []string{"cluster", "pg-test-2"}, want: "pg-test-2 is an instance of pg-test"},
		"a protected one":    {args: []string{"cluster", "pg-test"}, want: "pg-test-1 is protected by pg_safeguard"},
		"with a node off":    {args: []string{"cluster", "pg-test", "-e", "pg_safeguard=false"}, down: "10.10.10.13", want: "go on without it (--skip-unreachable)"},
		"a listed database":  {args: []string{"database", "pg-test/test"}, want: "site.yml:37:21: the inventory still lists database test"},
		"a listed user":      {args: []string{"user", "pg-test/test"}, want: "site.yml:35:21: the inventory still lists user test"},
		"no cluster of it":   {args: []string{"database", "test"}, want: "write it like pg-test/shop"},
		"a cluster not here": {args: []string{"database", "pg-tset/test"}, want: "its clusters are pg-meta, pg-test"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sandboxSite(t)
			s.fleet.Down = func(addr string) error {
				if addr == c.down {
					return os.ErrDeadlineExceeded
				}
				return nil
			}
			got := s.must(exitFailed, append([]string{"remove"}, c.args...)...)
			if !strings.Contains(got.out+got.err, c.want) {
				t.Errorf("does not say %q:\n%s%s", c.want, got.out, got.err)
			}
		})
	}
}

// A cluster goes only when its name is typed, comes back from what is kept on its nodes, and can be
// deleted there for good.
func TestRemoveAndUndo(t *testing.T) {
	s := sandboxSite(t)
	const data = "/data/postgres/pg-test-17/data/PG_VERSION"
	for _, node := range []string{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
		path := filepath.Join(s.fleet.Root(node), data)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("17\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	remove := []string{"remove", "cluster", "pg-test", "-e", "pg_safeguard=false"}
	s.must(exitPending, append(remove, "--plan")...)
	for _, named := range []string{"", "pg-tset"} {
		got := s.must(exitFailed, append(remove, "--yes-destroy", named)...)
		if !strings.Contains(got.err, "nothing was changed") {
			t.Errorf("with %q typed: %s", named, got.err)
		}
	}
	got := s.must(exitOK, append(remove, "--yes-destroy", "pg-test")...)
	if !strings.Contains(got.out, "pigsty undo pg-test brings it back") || !strings.Contains(got.out, "The inventory still lists the cluster") {
		t.Errorf("it does not say what comes next:\n%s", got.out)
	}
	if got := s.must(exitOK, remove...); !strings.Contains(got.out, "Nothing to do") {
		t.Errorf("a second time:\n%s", got.out)
	}
	var kept []map[string]any
	if err := json.Unmarshal([]byte(s.must(exitOK, "undo", "-o", "json").out), &kept); err != nil || len(kept) != 3 || kept[0]["name"] != "pg-test" {
		t.Errorf("kept: %v, %v", kept, err)
	}
	if got := s.must(exitFailed, "undo", "pg-tset"); !strings.Contains(got.err, "nothing is set aside under the name pg-tset; there is pg-test") {
		t.Errorf("a wrong name: %s", got.err)
	}
	if got := s.must(exitPending, "undo", "pg-test", "--plan", "-o", "yaml"); !strings.Contains(got.out, "kind: put_back") {
		t.Errorf("the plan:\n%s", got.out)
	}
	if got := s.must(exitFailed, "undo", "pg-test", "--forget"); !strings.Contains(got.err, "say --yes-destroy pg-test") {
		t.Errorf("deleted without the name: %s", got.err)
	}
	s.must(exitOK, "undo", "pg-test", "--forget", "--yes-destroy", "pg-test")
	if got := s.must(exitOK, "undo"); got.out != "Nothing is set aside.\n" {
		t.Errorf("left:\n%s", got.out)
	}
}

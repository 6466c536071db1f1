package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keep makes a plan of the node module and keeps it.
func keep(s *site, args ...string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, "kept.plan")
	s.must(exitPending, append([]string{"plan", "-t", simulated, "-o", path}, args...)...)
	return path
}

func TestKeptPlanIsApplied(t *testing.T) {
	s := sandboxSite(t)
	path := keep(s, "-l", "pg-test", "-e", "node_timezone=Europe/Berlin")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	s.file = "/nonexistent.yml" // the plan knows its inventory
	done := s.must(exitOK, "apply", path, "-e", "node_timezone=Europe/Berlin")
	// On the fourth it is only registered.
	if strings.Contains(done.out, "pg-meta-1      ~") || !strings.Contains(done.out, "on 4 nodes") {
		t.Errorf("%s", done.out)
	}
}

// A plan says exactly what apply does: when the world has moved, nothing is done.
func TestKeptPlanIsRefusedWhenTheWorldMoved(t *testing.T) {
	for name, c := range map[string]struct {
		move func(*site)
		args []string
		want string
	}{
		"node was changed by hand": {
			func(s *site) {
				if err := os.Remove(filepath.Join(s.fleet.Root("10.10.10.11"), "etc/hosts")); err != nil {
					s.t.Fatal(err)
				}
			}, nil, "have changed since the plan was made",
		},
		"node was changed by a run": {
			func(s *site) { s.must(exitOK, "apply", "-y", "-l", "10.10.10.10", "-t", simulated) },
			nil, "have changed since the plan was made",
		},
		"inventory was changed": {
			func(s *site) { s.edit("node_tune: tiny", "node_tune: oltp") },
			nil, "have changed since the plan was made",
		},
		"seed was replaced": {(*site).reseed, nil, "have changed since the plan was made"},
		"node is down": {
			func(s *site) {
				s.fleet.Down = func(addr string) error { return os.ErrDeadlineExceeded }
			},
			nil, "have changed since the plan was made",
		},
		"other scope":     {func(*site) {}, []string{"-l", "pg-test"}, "leave out --limit"},
		"other method":    {func(*site) {}, []string{"--switchover"}, "leave out --limit"},
		"other -e":        {func(*site) {}, []string{"-e", "node_tune=oltp"}, "the plan was made with -e for []"},
		"no plan at all":  {func(s *site) { s.overwrite("{}") }, nil, "is not a plan of this version"},
		"another version": {func(s *site) { s.overwrite(`{"pigsty_plan": 99, "plan": {}}`) }, nil, "is not a plan of this version"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sandboxSite(t)
			path := keep(s)
			c.move(s)
			got := s.must(exitFailed, append([]string{"apply", path}, c.args...)...)
			if !strings.Contains(got.err, c.want) {
				t.Errorf("%s", got.err)
			}
			if _, err := os.Stat(filepath.Join(s.fleet.Root("10.10.10.13"), "etc/pigsty/ca.crt")); err == nil {
				t.Error("something was done")
			}
		})
	}
}

// overwrite puts something else where the kept plan was.
func (s *site) overwrite(text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "kept.plan"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// reseed replaces the first character of the seed that nodes' SSH keys derive from.
func (s *site) reseed() {
	s.t.Helper()
	path := filepath.Join(s.dir, ".pigsty/site/secrets.yml")
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	before, seed, found := strings.Cut(string(text), "\nseed: ")
	if !found {
		s.t.Fatal("no seed in secrets.yml")
	}
	first := "A"
	if seed[0] == 'A' {
		first = "B"
	}
	if err := os.WriteFile(path, []byte(before+"\nseed: "+first+seed[1:]), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

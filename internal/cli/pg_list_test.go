package cli

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// Nodes of other clusters are left alone, and what cannot be asked counts as not healthy.
func TestPgListAsksOnlyTheClusters(t *testing.T) {
	s := sandboxSite(t)
	var mu sync.Mutex
	var asked []string
	s.fleet.Down = func(addr string) error {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, addr)
		return nil
	}
	got := s.must(exitPending, "pg", "list", "pg-test", "pg-test-2")
	slices.Sort(asked)
	if want := []string{"10.10.10.11", "10.10.10.12", "10.10.10.13"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	if !strings.Contains(got.out, "Cluster pg-test is unknown") || strings.Count(got.out, "pg-test-2  ") != 1 {
		t.Errorf("%s", got.out)
	}
	if got := s.must(exitFailed, "pg", "list", "pg-tset"); !strings.Contains(got.err, "its clusters are pg-meta, pg-test") {
		t.Errorf("%s", got.err)
	}
	if got := s.must(exitPending, "pg", "list", "-o", "yaml"); !strings.Contains(got.out, "clusters:\n  - name: pg-meta\n") {
		t.Errorf("%s", got.out)
	}
}

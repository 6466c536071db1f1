package postgres

import (
	"strings"
	"testing"
	"time"

	"pigsty/internal/resource"
)

// Replicas stream and none is synchronous: that is waited for. A leader that is alone waits for
// nobody.
func TestSynchronous(t *testing.T) {
	y := &Synchronous{Cluster: "pg-test", Members: []string{"pg-test-2"}, Timeout: time.Millisecond}
	if c, err := y.Diff(t.Context(), &resource.Host{Root: t.TempDir()}); c == nil || err != nil {
		t.Errorf("not founded yet: %+v, %v", c, err)
	}
	for _, c := range []struct {
		row   []string // replicas that stream, replicas that are synchronous
		waits bool
	}{{[]string{"0", "0"}, false}, {[]string{"2", "0"}, true}, {[]string{"2", "1"}, false}} {
		server := &fakeServer{rows: map[string][]string{"pg_stat_replication": c.row}}
		h := server.host(t)
		change, err := y.Diff(t.Context(), h)
		if err != nil || (change != nil) != c.waits {
			t.Errorf("%v: %+v, %v", c.row, change, err)
		}
		err = y.Apply(t.Context(), h)
		if c.waits != (err != nil) || err != nil && !strings.Contains(err.Error(), "no replica of cluster pg-test has become synchronous") {
			t.Errorf("%v: %v", c.row, err)
		}
	}
}

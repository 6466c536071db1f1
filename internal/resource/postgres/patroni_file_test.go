package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/resource"
)

const patroniYml = `
scope: pg-test
postgresql:
  listen: 0.0.0.0:5432
  parameters: {shared_buffers: 1GB, work_mem: 64MB, wal_log_hints: on}
`

func TestPatroniFileTellsTheRestart(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		impact  resource.Impact
		effect  string
	}{
		"comment":       {patroniYml + "# same\n", resource.Reload, ""},
		"reload":        {"postgresql: {listen: '0.0.0.0:5432', parameters: {shared_buffers: 1GB, work_mem: 32MB, wal_log_hints: 'on'}}", resource.Reload, ""},
		"memory":        {"postgresql: {listen: '0.0.0.0:5432', parameters: {shared_buffers: 2GB, work_mem: 64MB, wal_log_hints: true}}", resource.Restart, "PostgreSQL restarts on every member, replicas first, for shared_buffers"},
		"parameter out": {"postgresql: {listen: '0.0.0.0:5432', parameters: {work_mem: 64MB, wal_log_hints: on}}", resource.Restart, "PostgreSQL restarts on every member, replicas first, for shared_buffers"},
		"address":       {"postgresql: {listen: '127.0.0.1:5432', parameters: {shared_buffers: 1GB, work_mem: 64MB, wal_log_hints: on}}", resource.Restart, "PostgreSQL restarts on every member, replicas first, for listen_addresses"},
	} {
		t.Run(name, func(t *testing.T) {
			h := (&fakeServer{down: true}).host(t)
			f := &PatroniFile{Path: "/etc/patroni/patroni.yml", Content: patroniYml}
			if c, err := f.Diff(t.Context(), h); err != nil || c.Action != resource.Create {
				t.Fatalf("%+v, %v", c, err)
			}
			if err := f.Apply(t.Context(), h); err != nil {
				t.Fatal(err)
			}
			if c, err := f.Diff(t.Context(), h); c != nil || err != nil {
				t.Fatalf("again: %+v, %v", c, err)
			}
			f.Content = c.content
			got, err := f.Diff(t.Context(), h)
			if err != nil || got.Impact != c.impact || got.Effect != c.effect {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestPatroniReadsItsFile(t *testing.T) {
	cluster := newPatroniCluster(t, "a")
	h := hostOf(t, cluster, leaderRuns("100"))
	f := &PatroniFile{Path: "/etc/patroni/patroni.yml", Content: patroniYml, API: cluster.api()}
	for _, content := range []string{patroniYml, patroniYml + "# reload\n", "postgresql: {parameters: {shared_buffers: 2GB}}"} {
		f.Content = content
		if err := f.Apply(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		if c, err := f.Diff(t.Context(), h); c != nil || err != nil {
			t.Errorf("again: %+v, %v", c, err)
		}
		if d := cmp.Diff([]string{"reload a", "config a"}, cluster.ordered()); d != "" {
			t.Error(d)
		}
	}
	if notes := h.TakeNotes(); len(notes) > 0 {
		t.Errorf("notes %q", notes)
	}
}

func TestInterruptedPatroniFileIsReadLater(t *testing.T) {
	cluster := newPatroniCluster(t, "a")
	h := hostOf(t, cluster, leaderRuns("100"))
	f := &PatroniFile{Path: "/etc/patroni/patroni.yml", Content: patroniYml, API: cluster.api()}
	// As a run leaves it that ends right after the file was written.
	if err := h.Mark(f.unread()); err != nil {
		t.Fatal(err)
	}
	if err := f.file().Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if c, err := f.Diff(t.Context(), h); err != nil || c == nil || c.Action != resource.Run || c.Impact != resource.Reload {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := f.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"reload a", "config a"}, cluster.ordered()); d != "" {
		t.Error(d)
	}
	if c, err := f.Diff(t.Context(), h); c != nil || err != nil {
		t.Errorf("again: %+v, %v", c, err)
	}
}

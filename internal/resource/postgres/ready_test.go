package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pigsty/internal/resource"
)

func TestReadyKnowsTheRole(t *testing.T) {
	for name, c := range map[string]struct {
		rows   []string
		role   RunsAs
		before string // empty = in order
	}{
		"primary":                    {[]string{"f", "f", "0"}, Primary, ""},
		"replica that streams":       {[]string{"t", "t", "100"}, Replica, ""},
		"either":                     {[]string{"t", "t", "100"}, "", ""},
		"replica instead of primary": {[]string{"t", "t", "100"}, Primary, "replica, fed by another server"},
		"primary instead of replica": {[]string{"f", "f", "0"}, Replica, "primary, takes writes"},
		"replica that nobody feeds":  {[]string{"t", "f", "100"}, Replica, "replica, fed by nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // a replica is given time to find its primary
				server := &fakeServer{rows: map[string][]string{"pg_is_in_recovery": c.rows}}
				h := server.host(t)
				change, err := (&Ready{Instance: "pg-test-1", Role: c.role}).Diff(t.Context(), h)
				if err != nil {
					t.Fatal(err)
				}
				if got := change; (got == nil) != (c.before == "") || got != nil && got.Fields[0].Before != c.before {
					t.Errorf("%+v, want %q", got, c.before)
				}
				Conn{}.leave(h, maintenance)
			})
		})
	}
	server := &fakeServer{down: true}
	change, err := (&Ready{Instance: "pg-test-1", Role: Primary}).Diff(t.Context(), server.host(t))
	if err != nil || change.Action != resource.Run || change.Fields[0].Before != "not running" {
		t.Errorf("%+v, %v", change, err)
	}
}

func TestReadyGivesUpWithoutProgress(t *testing.T) {
	server := &fakeServer{down: true}
	h := server.host(t)
	log := "/pg/log/patroni.log"
	writeForTest(t, h.Path(log), strings.Repeat("old\n", 50)+"pg_basebackup: error: no pg_hba.conf entry\n")
	err := (&Ready{Instance: "pg-test-2", Role: Replica, Timeout: time.Millisecond}).Apply(t.Context(), h)
	for _, want := range []string{"pg-test-2 is not ready", "to be replica", "not running", log, "no pg_hba.conf entry"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	if lines := strings.Count(err.Error(), "\n"); lines != logTailLines {
		t.Errorf("%d lines of log", lines)
	}
}

func TestOnlyGettingFurtherIsProgress(t *testing.T) {
	var p progress
	for i, c := range []struct {
		now  progress
		want bool
	}{
		{progress{}, false},
		{progress{copied: 10}, true},
		{progress{copied: 10}, false},
		{progress{copied: 3}, false}, // started over
		{progress{copied: 10}, false},
		{progress{copied: 11}, true},
		{progress{segment: "000000010000000000000007"}, true},
		{progress{segment: "000000010000000000000006"}, false},
		{progress{replayed: 1}, true},
	} {
		if got := p.advance(c.now); got != c.want {
			t.Errorf("%d: %v", i, got)
		}
	}
}

func TestTreeSizeFollowsLinksAndLeavesTheLogOut(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	writeForTest(t, filepath.Join(dir, "base/1"), "12345")
	writeForTest(t, filepath.Join(dir, "log/postgresql.csv"), "1234567890")
	writeForTest(t, filepath.Join(elsewhere, "16384"), "123")
	if err := os.Symlink(elsewhere, filepath.Join(dir, "pg_wal")); err != nil {
		t.Fatal(err)
	}
	if got := treeSize(dir); got != 8 {
		t.Errorf("%d bytes", got)
	}
	if got := treeSize(filepath.Join(dir, "nothing")); got != 0 {
		t.Errorf("%d bytes of nothing", got)
	}
}

func TestStartupSegment(t *testing.T) {
	dir, proc := t.TempDir(), t.TempDir()
	if got := startupSegment(dir, proc); got != "" {
		t.Errorf("%q of nothing", got)
	}
	writeForTest(t, filepath.Join(dir, "postmaster.pid"), "42\n/pg/data\n")
	writeForTest(t, filepath.Join(proc, "42/task/42/children"), "43 44 ")
	writeForTest(t, filepath.Join(proc, "43/cmdline"), "postgres: checkpointer \x00")
	writeForTest(t, filepath.Join(proc, "44/cmdline"), "postgres: pg-test: startup recovering 000000010000000000000007\x00\x00")
	if got := startupSegment(dir, proc); got != "000000010000000000000007" {
		t.Errorf("%q", got)
	}
}

func writeForTest(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

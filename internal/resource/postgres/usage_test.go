package postgres

import (
	"strings"
	"testing"

	"pigsty/internal/resource"
)

// A member without a server, or whose server nobody uses, is in order; a session is in the way, and
// the error says whose.
func TestUnused(t *testing.T) {
	u := &Unused{Instance: "pg-test-2", Role: "app"}
	if c, err := u.Diff(t.Context(), &resource.Host{Root: t.TempDir()}); c != nil || err != nil {
		t.Errorf("without a server: %+v, %v", c, err)
	}
	server := &fakeServer{}
	h := server.host(t)
	if c, err := u.Diff(t.Context(), h); c != nil || err != nil {
		t.Errorf("nobody: %+v, %v", c, err)
	}
	if err := u.Apply(t.Context(), h); err != nil {
		t.Errorf("nobody: %v", err)
	}
	server.rows = map[string][]string{"pg_stat_activity": {"pid-7", "process 7 of app in shop from 10.10.10.1"}}
	c, err := u.Diff(t.Context(), h)
	if err != nil || c == nil || !strings.Contains(c.Effect, "process 7 of app in shop") {
		t.Errorf("a session: %+v, %v", c, err)
	}
	err = u.Apply(t.Context(), h)
	if err == nil || !strings.Contains(err.Error(), "role app is not dropped, because it is in use on pg-test-2: process 7 of app in shop from 10.10.10.1") {
		t.Errorf("a session: %v", err)
	}
}

// The pool's own sessions with the server do not count, its clients do, and those of its console do
// not: one server stands for both, and answers by what it is asked.
func TestPoolClientsCount(t *testing.T) {
	client := []string{"app", "shop", "10.10.10.1", "batch"}
	for name, c := range map[string]struct {
		of     *Unused
		client []string
		pid    string // of the pool's session with the server
		want   string
	}{
		"a client":                   {&Unused{Role: "app"}, client, "pid-7", "a client of pgBouncer, app in shop from 10.10.10.1 (batch)"},
		"a client of the database":   {&Unused{Database: "shop"}, client, "pid-7", "a client of pgBouncer, app in shop from 10.10.10.1 (batch)"},
		"another one's client":       {&Unused{Role: "other"}, client, "pid-7", ""},
		"an administrator":           {&Unused{Role: "app"}, []string{"app", "pgbouncer", "10.10.10.1", ""}, "pid-7", ""},
		"a session of somebody else": {&Unused{Role: "other"}, client, "pid-8", "process 7"},
	} {
		server := &fakeServer{
			rows:    map[string][]string{"pg_stat_activity": {"pid-7", "process 7"}, "SHOW SERVERS": {c.pid}, "SHOW CLIENTS": c.client},
			columns: map[string][]string{"SHOW SERVERS": {"remote_pid"}, "SHOW CLIENTS": {"user", "database", "addr", "application_name"}},
		}
		c.of.Pool = Pool{Port: 6432}
		change, err := c.of.Diff(t.Context(), server.host(t))
		if err != nil || (change != nil) != (c.want != "") {
			t.Errorf("%s: %+v, %v", name, change, err)
			continue
		}
		if change != nil && !strings.HasSuffix(change.Effect, ": "+c.want) {
			t.Errorf("%s: %q", name, change.Effect)
		}
	}
}

package postgres

import (
	"strings"
	"testing"
)

// The plan of a switchover says what clients see of it, and why they cannot be kept.
func TestSwitchoverSaysWhatClientsSee(t *testing.T) {
	databases := func(mode string) []string { return []string{"test", mode} }
	for name, c := range map[string]struct {
		pool      *Handover
		databases []string
		down      bool
		want      string
	}{
		"no pool":          {want: "all clients are cut and connect again"},
		"pgBouncer off":    {pool: &Handover{Self: "a"}, want: "pgBouncer is off on a"},
		"other node":       {pool: &Handover{Self: "b", Console: &Conn{}}, want: "a leads, and its node cannot be reached"},
		"no pool to go to": {pool: &Handover{Self: "a", Console: &Conn{}}, want: "pgBouncer is off on b"},
		"console away": {
			pool: &Handover{Self: "a", Console: &Conn{}, Pools: map[string]PoolAddress{"b": {}}}, down: true,
			want: "all clients are cut and connect again: connect to pgBouncer's console",
		},
		"pooled": {
			pool: &Handover{Self: "a", Console: &Conn{}, Pools: map[string]PoolAddress{"b": {}}}, databases: databases("transaction"),
			want: "clients of the pool wait, about two seconds; those at PostgreSQL itself are cut",
		},
		"sessions alone": {
			pool: &Handover{Self: "a", Console: &Conn{}, Pools: map[string]PoolAddress{"b": {}}}, databases: databases("session"),
			want: "all clients are cut and connect again: pgBouncer serves test in session mode",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := &fakeServer{down: c.down, columns: map[string][]string{"SHOW DATABASES": {"name", "pool_mode"}}, rows: map[string][]string{}}
			if c.databases != nil {
				server.rows["SHOW DATABASES"] = c.databases
			}
			text := c.pool.cost(t.Context(), server.host(t), "a", "b")
			if !strings.Contains(text, c.want) {
				t.Errorf("%q, want %q", text, c.want)
			}
		})
	}
}

package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"pigsty/internal/resource"
)

func TestBaselineRunsOnce(t *testing.T) {
	b := &Baseline{Database: "meta", Script: "cmdb.sql", SQL: "CREATE TABLE t (a int);"}
	server := &fakeServer{rows: map[string][]string{"to_regclass": {"f"}}}
	h := server.host(t)
	c, err := b.Diff(t.Context(), h)
	if err != nil || c == nil || c.Action != resource.Run {
		t.Fatalf("%+v, %v", c, err)
	}
	server.taken()
	if err := b.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	seen := strings.Join(server.taken(), "\n")
	for _, want := range []string{"begin", "monitor.pigsty_baseline", b.SQL, "'" + b.digest() + "'", "commit"} {
		if !strings.Contains(seen, want) {
			t.Errorf("%q is not in %s", want, seen)
		}
	}
	for digest, notes := range map[string]int{b.digest(): 0, "another": 1} {
		server := &fakeServer{rows: map[string][]string{"to_regclass": {"t"}, "SELECT digest": {digest, "2026-11-22"}}}
		h := server.host(t)
		c, err := b.Diff(t.Context(), h)
		if c != nil || err != nil || len(h.TakeNotes()) != notes {
			t.Errorf("%s: %+v, %v", digest, c, err)
		}
	}
}

func TestBaselineTellsTheLine(t *testing.T) {
	b := &Baseline{Database: "meta", Script: "cmdb.sql", SQL: "SELECT 1;\nSELECT nonsense;"}
	server := &fakeServer{fail: map[string]pgproto3.ErrorResponse{
		"nonsense": {Severity: "ERROR", Code: "42703", Message: `column "nonsense" does not exist`, Position: 18},
	}}
	err := b.Apply(t.Context(), server.host(t))
	if err == nil || !strings.HasPrefix(err.Error(), "line 2: load cmdb.sql") {
		t.Error(err)
	}
}

func TestBaselineRefusesPsqlCommands(t *testing.T) {
	for sql, refused := range map[string]bool{
		"\\c meta\n":                        true,
		"SELECT 1;\n  \\i other.sql":        true,
		"copy pigsty.t (a)\n from stdin;":   true,
		"SELECT 'a\\b'; COPY t FROM '/x';":  false,
		"-- \\c is written in a comment\n;": false,
	} {
		_, err := (&Baseline{Database: "meta", Script: "x", SQL: sql}).Diff(t.Context(), &resource.Host{Root: t.TempDir()})
		if (err != nil) != refused {
			t.Errorf("%q: %v", sql, err)
		}
	}
}

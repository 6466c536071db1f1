package postgres

import (
	"slices"
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
	for _, want := range []string{"begin", "monitor.pigsty_baseline", "EXECUTE ''" + b.SQL, "'" + b.digest() + "'", "commit"} {
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

// A new database opens in the transaction that loads the script, and no other one is touched.
func TestBaselineOpensANewDatabase(t *testing.T) {
	b := &Baseline{Database: "app", Script: "app.sql", SQL: `CREATE TABLE t (a text DEFAULT 'it''s');`, New: true, ConnLimit: 20, Shut: true}
	for title, c := range map[string]struct {
		row    []string // whether it awaits the script
		loaded bool
	}{
		"to be created": {nil, true}, "created for it": {[]string{"t"}, true}, "of somebody else": {[]string{"f"}, false},
	} {
		server := &fakeServer{rows: map[string][]string{"datistemplate": c.row}}
		if c.row == nil {
			delete(server.rows, "datistemplate")
		}
		change, err := b.Diff(t.Context(), server.host(t))
		if (change != nil) != c.loaded || err != nil {
			t.Errorf("%s: %+v, %v", title, change, err)
		}
	}
	server := &fakeServer{}
	if err := b.Apply(t.Context(), server.host(t)); err != nil {
		t.Fatal(err)
	}
	seen := server.taken()
	at := func(part string) int {
		n := slices.IndexFunc(seen, func(sql string) bool { return strings.Contains(sql, part) })
		if n < 0 {
			t.Errorf("%q is not in %q", part, seen)
		}
		return n
	}
	order := []int{
		at("begin"), at("EXECUTE ''CREATE TABLE t (a text DEFAULT ''''it''''''''s'''');''; END'"), at("INSERT INTO monitor.pigsty_baseline"),
		at(`ALTER DATABASE "app" IS_TEMPLATE false`), at(`ALTER DATABASE "app" CONNECTION LIMIT 20`), at("commit"),
		at(`ALTER DATABASE "app" ALLOW_CONNECTIONS false`),
	}
	if !slices.IsSorted(order) {
		t.Errorf("out of order: %q", seen)
	}
}

func TestBaselineTellsTheLine(t *testing.T) {
	b := &Baseline{Database: "meta", Script: "cmdb.sql", SQL: "SELECT 1;\nSELECT nonsense;"}
	server := &fakeServer{fail: map[string]pgproto3.ErrorResponse{
		"nonsense": {Severity: "ERROR", Code: "42703", Message: `column "nonsense" does not exist`, InternalPosition: 18, InternalQuery: b.SQL},
	}}
	err := b.Apply(t.Context(), server.host(t))
	if err == nil || !strings.HasPrefix(err.Error(), "line 2: load cmdb.sql") {
		t.Error(err)
	}
}

func TestWhatIsForPsqlHasALine(t *testing.T) {
	line, found := ForPsql("SELECT 1;\n\n  \\i other.sql\n")
	if line != 3 || found != `\i` {
		t.Errorf("line %d: %q", line, found)
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

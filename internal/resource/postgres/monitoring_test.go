package postgres

import (
	"slices"
	"strings"
	"testing"

	"pigsty/internal/resource"
)

func inOrderForTest(version int) monitoringRow {
	have := monitoringRow{version: version, comments: map[monitoringObject]string{}, granted: backupFunctions(version)}
	for _, o := range monitoringObjects {
		have.comments[o] = o.comment()
	}
	return have
}

func TestMonitoringInOrderIsLeftAlone(t *testing.T) {
	for _, version := range []int{13, 15, 18} {
		have := inOrderForTest(version)
		if edits := append(diffMonitoring(have), diffBackupUser(have, "replicator")...); len(edits) > 0 {
			t.Errorf("version %d: %v", version, statements(edits))
		}
	}
}

// What builds on a view goes before it and comes after it.
func TestChangedViewTakesTheOthersWithIt(t *testing.T) {
	have := inOrderForTest(17)
	delete(have.comments, monitoringObject{"VIEW", "pg_seq_scan"})
	have.comments[monitoringObject{"VIEW", "pg_table_bloat"}] = "of v1.5"
	edits := diffMonitoring(have)
	if len(edits) != 1 || edits[0].Field != (resource.Field{Name: "monitoring in schema monitor", Before: "other pg_table_bloat", After: "pg_table_bloat, pg_seq_scan"}) {
		t.Fatalf("%+v", edits)
	}
	at := func(part string) int {
		return slices.IndexFunc(edits[0].SQL, func(sql string) bool { return strings.Contains(sql, part) })
	}
	order := []int{
		at(`DROP FUNCTION monitor."pg_shmem"()`), at(`DROP VIEW monitor."pg_bloat"`), at(`DROP VIEW monitor."pg_table_bloat"`),
		at("CREATE VIEW monitor.pg_table_bloat"), at("CREATE VIEW monitor.pg_bloat"), at(`COMMENT ON FUNCTION monitor."pg_shmem"() IS`),
	}
	if !slices.IsSorted(order) || order[0] < 0 || at(`DROP VIEW monitor."pg_seq_scan"`) >= 0 {
		t.Errorf("%v in %q", order, edits[0].SQL)
	}
}

func TestBackupFunctionsByVersion(t *testing.T) {
	for version, want := range map[int]string{14: "pg_start_backup(text,boolean,boolean)", 15: "pg_backup_start(text,boolean)"} {
		have := monitoringRow{version: version, granted: []string{"pg_switch_wal()"}}
		edits := diffBackupUser(have, "replicator")
		if len(edits) != 1 || len(edits[0].SQL) != 11 || edits[0].SQL[0] != "GRANT EXECUTE ON FUNCTION pg_catalog."+want+` TO "replicator"` {
			t.Errorf("version %d: %v", version, statements(edits))
		}
	}
}

// Each file is one statement's worth of an object, with a purpose in its first line.
func TestMonitoringFiles(t *testing.T) {
	for _, o := range monitoringObjects {
		sql := o.sql()
		if !strings.HasPrefix(sql, "-- ") || !strings.Contains(sql, "\nCREATE "+o.kind+" monitor."+o.name) {
			t.Errorf("%s:\n%s", o.name, sql)
		}
	}
}

// One question tells whether everything is there.
func TestMonitoringIsAskedForOnce(t *testing.T) {
	server := &fakeServer{rows: map[string][]string{}}
	p := &Privileges{Database: "app", Schemas: []string{"monitor"}, Monitoring: true, BackupUser: "replicator"}
	c, err := p.Diff(t.Context(), server.host(t))
	if err != nil || c == nil {
		t.Fatalf("%+v, %v", c, err)
	}
	asked := 0
	for _, sql := range server.taken() {
		if strings.Contains(sql, "obj_description") {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"pigsty/internal/resource"
)

//go:embed monitoring/*.sql
var monitoringFiles embed.FS

// monitoringObject is a view or function of schema monitor. Its file's first line says what it is
// for and becomes its comment, which ends in a digest of the file: that tells what is there from
// what is wanted without taking definitions apart.
type monitoringObject struct{ kind, name string }

// monitoringObjects are v1.5's, in the order in which they build on each other.
var monitoringObjects = []monitoringObject{
	{"VIEW", "pg_table_bloat"},
	{"VIEW", "pg_index_bloat"},
	{"VIEW", "pg_bloat"},
	{"VIEW", "pg_table_bloat_human"},
	{"VIEW", "pg_index_bloat_human"},
	{"VIEW", "pg_session"},
	{"VIEW", "pg_seq_scan"},
	{"FUNCTION", "pg_shmem"},
}

// object is its name in a statement.
func (o monitoringObject) object() string {
	name := o.kind + " monitor." + quoteName(o.name)
	if o.kind == "FUNCTION" {
		name += "()"
	}
	return name
}

func (o monitoringObject) sql() string {
	text, err := monitoringFiles.ReadFile("monitoring/" + o.name + ".sql")
	if err != nil {
		panic(err) // it is part of the program
	}
	return string(text)
}

func (o monitoringObject) comment() string {
	sql := o.sql()
	purpose, _, _ := strings.Cut(strings.TrimPrefix(sql, "-- "), "\n")
	sum := sha256.Sum256([]byte(sql))
	return purpose + " (pigsty " + hex.EncodeToString(sum[:6]) + ")"
}

// backupFunctions are what v1.5 lets the replication user call, so that a backup tool can work as
// it, as regprocedure writes them. Those that begin and end a backup got other names in version 15.
func backupFunctions(version int) []string {
	start, stop := "pg_backup_start(text,boolean)", "pg_backup_stop(boolean)"
	if version < 15 {
		start, stop = "pg_start_backup(text,boolean,boolean)", "pg_stop_backup(boolean,boolean)"
	}
	return []string{
		start, stop, "pg_create_restore_point(text)", "pg_switch_wal()",
		"pg_is_in_recovery()", "pg_last_wal_replay_lsn()", "pg_control_checkpoint()",
		"current_setting(text)", "set_config(text,text,boolean)",
		"txid_current()", "txid_current_snapshot()", "txid_snapshot_xmax(txid_snapshot)",
	}
}

// monitoringRow is what a database has of all that: comments by kind and name, and the functions
// of the system that the backup user was given.
type monitoringRow struct {
	version  int // major version of the server
	comments map[monitoringObject]string
	granted  []string
}

// monitoringQuery asks for everything at once, as every plan does it for every database.
const monitoringQuery = `
SELECT 'VERSION', current_setting('server_version_num'), ''
UNION ALL
SELECT 'VIEW', relname::text, coalesce(obj_description(oid, 'pg_class'), '')
FROM pg_class WHERE relkind = 'v' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'monitor')
UNION ALL
SELECT 'FUNCTION', proname::text, coalesce(obj_description(oid, 'pg_proc'), '')
FROM pg_proc WHERE pronargs = 0 AND pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'monitor')
UNION ALL
SELECT 'EXECUTE', p.oid::regprocedure::text, ''
FROM pg_proc p, aclexplode(p.proacl) x
WHERE p.proacl IS NOT NULL AND p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'pg_catalog')
  AND x.grantee = (SELECT oid FROM pg_roles WHERE rolname = $1)`

func (s session) readMonitoring(ctx context.Context, backupUser string) (monitoringRow, error) {
	have := monitoringRow{comments: map[monitoringObject]string{}}
	var o monitoringObject
	var comment string
	err := s.forEach(ctx, monitoringQuery, []any{backupUser}, []any{&o.kind, &o.name, &comment}, func() {
		switch o.kind {
		case "VERSION":
			number, _ := strconv.Atoi(o.name) // a number, by its definition
			have.version = number / 10000
		case "EXECUTE":
			have.granted = append(have.granted, o.name)
		default:
			have.comments[o] = comment
		}
	})
	return have, problem("look at schema monitor", err)
}

// diffMonitoring gives the edit for schema monitor; nil when it is in order. Views build on each
// other and cannot be replaced one by one: when one differs, all are made anew.
func diffMonitoring(have monitoringRow) []edit {
	var before, after, drop, create []string
	for _, o := range monitoringObjects {
		comment, there := have.comments[o]
		if there {
			drop = append(drop, "DROP "+o.object())
		}
		create = append(create, o.sql(), "COMMENT ON "+o.object()+" IS "+quoteText(o.comment()))
		if comment == o.comment() {
			continue
		}
		after = append(after, o.name)
		if there {
			before = append(before, "other "+o.name)
		}
	}
	if len(after) == 0 {
		return nil
	}
	slices.Reverse(drop)
	return []edit{{
		Field: resource.Field{Name: "monitoring in schema monitor", Before: strings.Join(before, ", "), After: strings.Join(after, ", ")},
		SQL:   slices.Concat(drop, create),
	}}
}

// diffBackupUser gives the edit that lets a user do backups; nil when it may.
func diffBackupUser(have monitoringRow, user string) []edit {
	var sql []string
	for _, f := range backupFunctions(have.version) {
		if !slices.Contains(have.granted, f) {
			sql = append(sql, "GRANT EXECUTE ON FUNCTION pg_catalog."+f+" TO "+quoteName(user))
		}
	}
	if len(sql) == 0 {
		return nil
	}
	return []edit{{Field: resource.Field{Name: "execute on functions for backups", After: user}, SQL: sql}}
}

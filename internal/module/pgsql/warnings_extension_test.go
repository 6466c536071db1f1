package pgsql_test

import (
	"fmt"
	"testing"

	"pigsty/internal/fact"
	"pigsty/internal/inventory"
	"pigsty/internal/model"
	"pigsty/internal/module/pgsql"
)

func TestExtensionWarnings(t *testing.T) {
	const pastVersions = ", pg_version: 16"
	for title, c := range map[string]struct {
		databases, others string
		release           int
		want              string
	}{
		"all is there":       {"[{ name: a, extensions: [pg_cron, { name: postgis }] }]", "", 13, ""},
		"misspelt":           {"[{ name: a, extensions: [hstore, pg_crom] }]", "", 13, "8:56: no package of Debian 13 brings extension pg_crom; did you mean pg_cron?"},
		"of another release": {"[{ name: a, extensions: [{ name: timescaledb }] }]", "", 12, "8:48: no package of Debian 12 brings extension timescaledb; list the package that brings it in pg_extensions; pigsty pg ext list shows what there is"},
		"listed by hand":     {"[{ name: a, extensions: [acme] }]", ", pg_extensions: [acme-17]", 13, ""},
		"a library":          {"[{ name: a, extensions: [auto_explain] }]", "", 13, "8:48: auto_explain is no extension but a library, so there is nothing to create; list it in pg_libs instead"},
		"another version":    {"[{ name: a, extensions: [hstore, pg_cron] }]", pastVersions, 13, "8:56: Debian 13 packages pg_cron for PostgreSQL 17, and cluster pg-test runs 16; list a package of it in pg_extensions, which another package source has, and pg_cron in pg_libs"},
		"one database":       {"[{ name: a, extensions: [pg_cron] }, { name: b, extensions: [pg_cron] }]", "", 13, "8:84: pg_cron works in one database of a cluster, which is a; declare it there alone"},
		"setting overruled":  {"[{ name: a, extensions: [pg_cron] }]", ", pg_parameters: { cron.database_name: b }", 13, "8:48: pg_cron works in one database of a cluster, and pg_parameters sets cron.database_name to b; remove the setting: it follows from where the extension is declared"},
		"library overruled":  {"[{ name: a, extensions: [pgaudit] }]", ", pg_parameters: { shared_preload_libraries: x }", 13, "8:48: pgaudit has to be loaded as the server starts, and shared_preload_libraries of pg_parameters leaves it out; list libraries in pg_libs instead, or add this one there"},
	} {
		t.Run(title, func(t *testing.T) {
			text := fmt.Sprintf(`all:
  vars: { dcs_servers: { etcd-1: 10.10.10.11 } }
  children:
    pg-test:
      hosts: { 10.10.10.11: { pg_seq: 1, pg_role: primary } }
      vars: {
        pg_cluster: pg-test%s,
        pg_databases: %s,
      }
`, c.others, c.databases)
			inv, problems := inventory.Parse("pigsty.yml", []byte(text), inventory.Options{})
			d, more := model.Build(inv)
			problems.Add(more...)
			if problems.HasErrors() {
				t.Fatal(problems.Err())
			}
			d.Observe(map[string]fact.Node{"10.10.10.11": {Release: c.release, OS: "debian"}})
			var got string
			for _, w := range pgsql.Warnings(d) {
				got = fmt.Sprintf("%d:%d: %s; %s", w.Pos.Line, w.Pos.Column, w.Summary, w.Hint)
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

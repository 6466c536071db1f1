package model_test

import (
	"slices"
	"testing"

	"pigsty/internal/fact"
	"pigsty/internal/model"
)

func extended(t *testing.T, settings string, release int) *model.PgCluster {
	t.Helper()
	c := cluster(t, settings, "", machines[1])
	for _, i := range c.Instances {
		i.Node.Facts = fact.Node{Release: release}
	}
	return c
}

func TestDeclaredExtensions(t *testing.T) {
	const databases = ", pg_databases: [{ name: a, extensions: [pg_cron, { name: vector, schema: x }, { name: postgis, state: absent }] }, { name: gone, state: absent, extensions: [timescaledb] }]"
	for _, test := range []struct {
		name, settings  string
		release         int
		libraries, cron string
		packages        []string
	}{
		{"nothing", "", 13, "pg_stat_statements, auto_explain", "", nil},
		{"declared", databases, 13, "pg_stat_statements, auto_explain, pg_cron", "a", []string{"postgresql-17-cron", "postgresql-17-pgvector"}},
		{"no such package", databases, 12, "pg_stat_statements, auto_explain, pg_cron", "a", []string{"postgresql-15-cron"}},
		{"another version", databases + ", pg_version: 16", 13, "pg_stat_statements, auto_explain", "", nil},
		{"listed by hand", databases + ", pg_libs: 'pg_cron,timescaledb'", 13, "pg_cron,timescaledb", "a", []string{"postgresql-17-cron", "postgresql-17-pgvector", "postgresql-17-timescaledb"}},
		{"no library listed", databases + ", pg_libs: ''", 13, "pg_cron", "a", []string{"postgresql-17-cron", "postgresql-17-pgvector"}},
		{"pg_parameters win", databases + ", pg_parameters: { cron.database_name: b }", 13, "pg_stat_statements, auto_explain, pg_cron", "b", []string{"postgresql-17-cron", "postgresql-17-pgvector"}},
		{
			"what is required too", ", pg_libs: auto_explain, pg_databases: [{ name: a, extensions: [pg_stat_kcache] }]", 13,
			"auto_explain, pg_stat_statements, pg_stat_kcache", "",
			[]string{"postgresql-17-pg-stat-kcache"},
		},
		{
			"default extensions that can wait for no library", ", pg_libs: '', pg_default_extensions: [timescaledb, pg_stat_statements]", 13,
			"timescaledb", "",
			[]string{"postgresql-17-timescaledb"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := extended(t, test.settings, test.release)
			set := c.ClusterSettings()
			if got := set["shared_preload_libraries"]; got != test.libraries {
				t.Errorf("shared_preload_libraries %q, want %q", got, test.libraries)
			}
			if got := set["cron.database_name"]; got != test.cron {
				t.Errorf("cron.database_name %q, want %q", got, test.cron)
			}
			if got := c.Instances[1].ExtensionPackages(); !slices.Equal(got, test.packages) {
				t.Errorf("packages %q, want %q", got, test.packages)
			}
		})
	}
}

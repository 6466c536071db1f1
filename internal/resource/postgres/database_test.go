package postgres

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pigsty/internal/resource"
)

func databaseForTest(t *rapid.T, name string) *Database {
	owner := rapid.SampledFrom([]string{"", "owner", `we"ird`, "dbuser_dba"})
	return &Database{
		Database: name, Owner: owner.Draw(t, "owner"), Template: rapid.SampledFrom([]string{"", "template0"}).Draw(t, "template"),
		Encoding: "UTF8", Tablespace: rapid.SampledFrom([]string{"", "pg_default", "fast disk"}).Draw(t, "tablespace"),
		AllowConn: rapid.Bool().Draw(t, "allow"), RevokeConn: rapid.Bool().Draw(t, "revoke"),
		ConnLimit: rapid.IntRange(-1, 9).Draw(t, "limit"), Comment: rapid.OneOf(rapid.Just(""), hostileName()).Draw(t, "comment"),
		Baseline:   rapid.Bool().Draw(t, "baseline"),
		Parameters: settingsForTest().Draw(t, "parameters"),
		Creator:    rapid.SampledFrom([]string{"", "dbrole_admin"}).Draw(t, "creator"),
		Monitor:    "dbuser_monitor", Replication: "replicator", Admin: rapid.SampledFrom([]string{"", "dbuser_dba", "replicator"}).Draw(t, "admin"),
	}
}

func TestStatementsMakeTheDatabase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		name := hostileName().Draw(t, "name")
		if rapid.Bool().Draw(t, "exists") {
			before := databaseForTest(t, name)
			m.run(slices.Concat(diffDatabase(before, nil), diffShut(before, nil)))
		}
		want := databaseForTest(t, name)
		m.run(slices.Concat(diffDatabase(want, m.databases[name]), diffShut(want, m.databases[name])))
		have := m.databases[name]
		if have.awaits() && want.Baseline {
			// What comes after loading the script.
			baseline := &Baseline{Database: name, ConnLimit: want.ConnLimit}
			m.run([]edit{{SQL: baseline.opening()}})
			if !want.AllowConn {
				m.run([]edit{baseline.shut()})
			}
		}
		if again := slices.Concat(diffDatabase(want, have), diffShut(want, have)); len(again) > 0 {
			t.Fatalf("not in order after its own statements: %v", statements(again))
		}
		if have.owner != want.owner() || have.allowConn != want.AllowConn || have.connLimit != want.ConnLimit || len(have.settings) != len(want.Parameters) {
			t.Fatalf("%+v", have)
		}
		if have.acl.has("", "CREATE", false) || have.acl.has("", "CONNECT", false) == want.RevokeConn {
			t.Fatalf("everybody's rights: %+v", have.acl)
		}
		if want.RevokeConn && !have.acl.has("dbuser_monitor", "CONNECT", false) {
			t.Fatalf("monitoring is locked out: %+v", have.acl)
		}
	})
}

func TestDatabaseStatements(t *testing.T) {
	asIs := func() *databaseRow {
		return &databaseRow{
			owner: "app", encoding: "UTF8", wanted: "UTF8", collate: "C", ctype: "C.UTF-8", tablespace: "pg_default", allowConn: true, connLimit: -1,
			acl: acl{{privilege: "CONNECT"}, {privilege: "TEMPORARY"}, {"app", "CREATE", false}, {"app", "CONNECT", false}, {"dbrole_admin", "CREATE", false}},
		}
	}
	for name, c := range map[string]struct {
		want *Database
		have *databaseRow
		sql  []string
	}{
		"in order": {
			want: &Database{Database: "app", Owner: "app", Creator: "dbrole_admin", AllowConn: true, ConnLimit: -1, Tablespace: "pg_default"},
			have: asIs(),
		},
		"new": {
			want: &Database{
				Database: `my"db`, Owner: "app", Encoding: "UTF8", Locale: "C", LcCtype: "C.UTF-8", Tablespace: "fast", AllowConn: true, ConnLimit: 5,
				Comment: "x", Creator: "dbrole_admin", Parameters: map[string]string{"search_path": "public,app"},
			},
			sql: []string{
				`CREATE DATABASE "my""db" OWNER "app" TEMPLATE "template1" ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8' TABLESPACE "fast"`,
				`ALTER DATABASE "my""db" CONNECTION LIMIT 5`,
				`COMMENT ON DATABASE "my""db" IS 'x'`,
				`ALTER DATABASE "my""db" SET "search_path" = 'public', 'app'`,
				`GRANT CREATE ON DATABASE "my""db" TO "dbrole_admin"`,
			},
		},
		"closed to the public, after a change of owner": {
			want: &Database{
				Database: "app", Owner: "boss", Creator: "dbrole_admin", AllowConn: true, ConnLimit: -1,
				RevokeConn: true, Replication: "replicator", Monitor: "dbuser_monitor", Admin: "dbuser_dba",
			},
			have: asIs(),
			sql: []string{
				`ALTER DATABASE "app" OWNER TO "boss"`,
				`REVOKE CONNECT ON DATABASE "app" FROM PUBLIC`,
				`GRANT CONNECT ON DATABASE "app" TO "replicator"`,
				`GRANT CONNECT ON DATABASE "app" TO "dbuser_monitor"`,
				`GRANT CONNECT ON DATABASE "app" TO "dbuser_dba" WITH GRANT OPTION`,
				`GRANT CONNECT ON DATABASE "app" TO "boss" WITH GRANT OPTION`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.sql, statements(diffDatabase(c.want, c.have))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestUnchangeableDatabaseIsAnError(t *testing.T) {
	have := &databaseRow{encoding: "SQL_ASCII", wanted: "UTF8", collate: "C", ctype: "C.UTF-8"}
	for want, d := range map[string]*Database{
		"encoding is SQL_ASCII and UTF8 is wanted":  {Database: "app", Encoding: "UTF8"},
		"lc_collate is C and en_US.UTF-8 is wanted": {Database: "app", Locale: "en_US.UTF-8", LcCtype: "C.utf8"},
	} {
		err := d.unchangeable(have)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "pg_dump") || strings.Contains(err.Error(), "lc_ctype") {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, d := range []*Database{{}, {Locale: "POSIX", LcCtype: "C.utf8"}} {
		if err := d.unchangeable(have); err != nil {
			t.Error(err)
		}
	}
	if err := (&Database{}).unchangeable(&databaseRow{connLimit: invalidDatabase}); err == nil {
		t.Error("a half-dropped database passes")
	}
	if err := (&Database{Encoding: "utf-9"}).unchangeable(&databaseRow{encoding: "UTF8"}); err == nil {
		t.Error("an unknown encoding passes")
	}
}

func TestMovingADatabaseCostsARestart(t *testing.T) {
	have := &databaseRow{owner: "postgres", tablespace: "pg_default", allowConn: true, connLimit: -1, acl: acl{{privilege: "CONNECT"}}}
	c := changeOf(resource.Update, diffDatabase(&Database{Database: "app", AllowConn: true, ConnLimit: -1, Tablespace: "fast"}, have))
	if c == nil || c.Impact != resource.Restart {
		t.Errorf("%+v", c)
	}
}

func TestTemplatesAreNotDropped(t *testing.T) {
	for name, have := range map[string]*databaseRow{"postgres": {}, "template1": {template: true, connLimit: -1}} {
		if (&Database{Database: name}).protected(have) == nil {
			t.Errorf("%s can be dropped", name)
		}
	}
	for title, have := range map[string]*databaseRow{"plain": {connLimit: -1}, "not loaded yet": {template: true}} {
		if err := (&Database{Database: "app"}).protected(have); err != nil {
			t.Errorf("%s: %v", title, err)
		}
	}
}

func contentsForTest(t *rapid.T) contents {
	schema := rapid.SampledFrom([]string{"monitor", "app", `odd"one`})
	c := contents{
		schemas: rapid.SliceOfN(schema, 0, 3).Draw(t, "schemas"),
		creator: rapid.SampledFrom([]string{"", "dbrole_admin"}).Draw(t, "creator"),
		users:   map[string][]string{},
	}
	for _, s := range c.schemas {
		c.users[s] = []string{"dbuser_monitor"}
	}
	for _, name := range []string{"hstore", "pg_cron", "postgis"} {
		if rapid.Bool().Draw(t, name) {
			c.extensions = append(c.extensions, Extension{
				Name: name, Version: rapid.SampledFrom([]string{"", "1.0", "2.0"}).Draw(t, "version"), Absent: rapid.Bool().Draw(t, "absent"),
				Schema: rapid.SampledFrom([]string{"", "monitor", "ext"}).Draw(t, "schema"),
			})
		}
	}
	return c
}

func TestStatementsMakeTheContents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		m.inside.schemas = map[string]acl{"public": {{privilege: "USAGE"}, {privilege: "CREATE"}}, "pg_catalog": nil}
		m.inside.extensions["postgis"] = extensionRow{schema: "public", version: "1.0", relocatable: rapid.Bool().Draw(t, "relocatable")}
		m.inside.fixed["pg_cron"] = "pg_catalog"
		for range 2 {
			want := contentsForTest(t)
			edits, _ := diffContents(want, m.inside)
			m.run(edits)
			if again, _ := diffContents(want, m.inside); len(again) > 0 {
				t.Fatalf("not in order after its own statements: %v", statements(again))
			}
			if m.searchPath != "pg_catalog" {
				t.Fatalf("search_path is left at %s", m.searchPath)
			}
		}
		if m.inside.schemas["public"].has("", "CREATE", false) {
			t.Fatal("everybody may create in schema public")
		}
	})
}

func TestExtensionStatements(t *testing.T) {
	want := contents{extensions: []Extension{
		{Name: "postgis"}, {Name: "pg_cron"}, {Name: "hstore", Schema: "ext", Version: "1.8"}, {Name: "old", Absent: true}, {Name: "fixed", Schema: "ext"},
	}}
	have := contentsRow{
		extensions: map[string]extensionRow{"old": {version: "1"}, "fixed": {schema: "public"}},
		fixed:      map[string]string{"pg_cron": "pg_catalog"},
	}
	edits, notes := diffContents(want, have)
	sql := []string{
		`CREATE SCHEMA "ext"`,
		`SET LOCAL search_path = public`, `CREATE EXTENSION "postgis" CASCADE`, `SET LOCAL search_path = pg_catalog`,
		`CREATE EXTENSION "pg_cron" CASCADE`,
		`CREATE EXTENSION "hstore" SCHEMA "ext" VERSION '1.8' CASCADE`,
		`DROP EXTENSION "old"`,
	}
	if d := cmp.Diff(sql, statements(edits)); d != "" {
		t.Error(d)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "extension fixed stays in schema public") {
		t.Errorf("notes %q", notes)
	}
	if c := changeOf(resource.Update, edits); c.Impact != resource.DataLoss {
		t.Errorf("dropping an extension costs %v", c.Impact)
	}
}

package postgres

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pigsty/internal/resource"
)

const scramForTest = "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="

// noonForTest is the node's clock in tests.
var noonForTest = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// hostileName makes names that try to break out of their quotes.
func hostileName() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"app", "App User", `a"b`, `x"; DROP ROLE postgres; --`, "it's", "línea\nnueva", "表", `back\slash`, "select", "$user", "a,b", "a.b"}),
		rapid.StringMatching(`[a-z"' \n;$]{1,10}`),
	)
}

func settingsForTest() *rapid.Generator[map[string]string] {
	return rapid.MapOfN(
		rapid.SampledFrom([]string{"work_mem", "search_path", "DateStyle", "log_min_duration_statement", "app.tenant", "statement_timeout"}),
		rapid.SampledFrom([]string{"64MB", "public, monitor", `"$user",public`, "1000", "it's", `A"B`, ""}),
		0, 3,
	)
}

func roleForTest(t *rapid.T) *Role {
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	r := &Role{
		Role: "app", Login: flag("login"), Superuser: flag("superuser"), CreateDB: flag("createdb"), CreateRole: flag("createrole"),
		Inherit: flag("inherit"), Replication: flag("replication"), BypassRLS: flag("bypassrls"),
		ConnLimit:  rapid.IntRange(-1, 50).Draw(t, "limit"),
		Verifier:   rapid.SampledFrom([]string{"", scramForTest, "md5" + strings.Repeat("0", 32)}).Draw(t, "verifier"),
		ValidUntil: rapid.SampledFrom([]string{"", "2030-01-31T00:00:00Z", "2030-01-31T02:00:00+02:00"}).Draw(t, "until"),
		ExpireIn:   rapid.SampledFrom([]int{0, 0, 90}).Draw(t, "expire"),
		Comment:    rapid.OneOf(rapid.Just(""), hostileName()).Draw(t, "comment"),
		Parameters: settingsForTest().Draw(t, "parameters"),
	}
	for _, role := range []string{"pg_monitor", "dbrole_admin", `odd"role`} {
		switch rapid.IntRange(0, 2).Draw(t, "membership") {
		case 1:
			r.Roles = append(r.Roles, role)
		case 2:
			r.NotRoles = append(r.NotRoles, role)
		}
	}
	return r
}

func TestStatementsMakeTheRole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.SampledFrom([]int{15, 17}).Draw(t, "version")
		m := newModel(t)
		name := hostileName().Draw(t, "name")
		if rapid.Bool().Draw(t, "exists") {
			before := roleForTest(t)
			before.Role = name
			m.run(diffRole(before, nil, version, noonForTest.AddDate(-1, 0, 0)))
		}
		want := roleForTest(t)
		want.Role = name
		m.run(diffRole(want, m.roles[name], version, noonForTest))
		if len(m.roles) != 1 {
			t.Fatalf("roles %v", m.roles)
		}
		have := m.roles[name]
		if again := diffRole(want, have, version, noonForTest.Add(time.Hour)); len(again) > 0 {
			t.Fatalf("not in order after its own statements: %v", statements(again))
		}
		checkRole(t, want, have)
	})
}

// checkRole compares by hand what diffRole might be wrong about both times.
func checkRole(t *rapid.T, want *Role, have *roleRow) {
	if have.login != want.Login || have.superuser != want.Superuser || have.inherit != want.Inherit || have.connLimit != want.ConnLimit {
		t.Fatalf("attributes %+v", have)
	}
	if !want.Superuser && (have.createDB != want.CreateDB || have.createRole != want.CreateRole || have.replication != want.Replication || have.bypassRLS != want.BypassRLS) {
		t.Fatalf("attributes %+v", have)
	}
	if want.Verifier != "" && have.password != want.Verifier {
		t.Fatalf("password %q", have.password)
	}
	if len(have.settings) != len(want.Parameters) {
		t.Fatalf("settings %v", have.settings)
	}
	for _, m := range have.members {
		for _, not := range want.NotRoles {
			if m.role == not {
				t.Fatalf("still a member of %s", not)
			}
		}
	}
	if want.ExpireIn == 0 && want.ValidUntil != "" && expiry(have.validUntil) != "2030-01-31T00:00:00Z" {
		t.Fatalf("expiry %v", have.validUntil)
	}
}

func TestRoleStatements(t *testing.T) {
	until := noonForTest
	for name, c := range map[string]struct {
		want    *Role
		have    *roleRow
		version int
		sql     []string
	}{
		"in order": {
			want: &Role{Role: "app", Login: true, Inherit: true, ConnLimit: -1},
			have: &roleRow{oid: 1, login: true, inherit: true, connLimit: -1},
		},
		"new, with everything": {
			want: &Role{
				Role: `we"ird`, Login: true, Inherit: true, ConnLimit: 10, Verifier: scramForTest, ExpireIn: 1, Comment: "it's\nmine",
				Roles: []string{"dbrole_readonly"}, Parameters: map[string]string{"search_path": `"$user",public`, "app.x": "1"},
			},
			version: 17,
			sql: []string{
				`CREATE ROLE "we""ird"`,
				`ALTER ROLE "we""ird" LOGIN`,
				`ALTER ROLE "we""ird" CONNECTION LIMIT 10`,
				`ALTER ROLE "we""ird" PASSWORD '` + scramForTest + `'`,
				`ALTER ROLE "we""ird" VALID UNTIL '2026-11-23T12:00:00Z'`,
				`COMMENT ON ROLE "we""ird" IS 'it''s` + "\n" + `mine'`,
				`GRANT "dbrole_readonly" TO "we""ird" WITH INHERIT TRUE`,
				`ALTER ROLE "we""ird" SET "app"."x" = '1'`,
				`ALTER ROLE "we""ird" SET "search_path" = '$user', 'public'`,
			},
		},
		"turned off again": {
			want: &Role{Role: "app", ConnLimit: -1},
			have: &roleRow{
				oid: 1, login: true, superuser: true, createDB: true, createRole: true, replication: true, bypassRLS: true,
				inherit: true, connLimit: 3, validUntil: &until, settings: map[string]string{"work_mem": "1GB"},
			},
			sql: []string{
				`ALTER ROLE "app" NOLOGIN`, `ALTER ROLE "app" NOSUPERUSER`, `ALTER ROLE "app" NOCREATEDB`, `ALTER ROLE "app" NOCREATEROLE`,
				`ALTER ROLE "app" NOINHERIT`, `ALTER ROLE "app" NOREPLICATION`, `ALTER ROLE "app" NOBYPASSRLS`,
				`ALTER ROLE "app" CONNECTION LIMIT -1`, `ALTER ROLE "app" VALID UNTIL 'infinity'`, `ALTER ROLE "app" RESET "work_mem"`,
			},
		},
		"a superuser keeps what it implies": {
			want: &Role{Role: "postgres", Login: true, Inherit: true, Superuser: true, ConnLimit: -1},
			have: &roleRow{oid: 10, login: true, superuser: true, createDB: true, createRole: true, replication: true, bypassRLS: true, inherit: true, connLimit: -1},
		},
		"memberships of several grantors": {
			want:    &Role{Role: "app", ConnLimit: -1, Inherit: true, Roles: []string{"a"}, NotRoles: []string{"b", "c"}},
			version: 17,
			have: &roleRow{oid: 1, inherit: true, connLimit: -1, members: []membership{
				{role: "a", grantors: []string{"postgres"}}, {role: "b", inherit: true, grantors: []string{"boss", "postgres"}}, {role: "x", inherit: true},
			}},
			sql: []string{
				`GRANT "a" TO "app" WITH INHERIT TRUE`, `REVOKE "b" FROM "app" GRANTED BY "boss"`, `REVOKE "b" FROM "app" GRANTED BY "postgres"`,
			},
		},
		"roles that the inventory knows are left, and PostgreSQL's own": {
			want: &Role{Role: "app", ConnLimit: -1, Inherit: true, Roles: []string{"dbrole_readonly"}, Declared: []string{"dbrole_admin", "dbrole_readonly"}},
			have: &roleRow{oid: 1, inherit: true, connLimit: -1, members: []membership{
				{role: "dbrole_admin", inherit: true, grantors: []string{"postgres"}},
				{role: "dbrole_readonly", inherit: true},
				{role: "pg_monitor", inherit: true, grantors: []string{"postgres"}},
				{role: "theirs", inherit: true},
			}},
			version: 17,
			sql:     []string{`REVOKE "dbrole_admin" FROM "app" GRANTED BY "postgres"`, `REVOKE "pg_monitor" FROM "app" GRANTED BY "postgres"`},
		},
		"before PostgreSQL 16 inheritance is the role's alone": {
			want:    &Role{Role: "app", ConnLimit: -1, Roles: []string{"a"}, NotRoles: []string{"b"}},
			version: 15,
			have:    &roleRow{oid: 1, connLimit: -1, members: []membership{{role: "a", inherit: true}, {role: "b", grantors: []string{"postgres"}}}},
			sql:     []string{`REVOKE "b" FROM "app"`},
		},
		"days are counted once": {
			want: &Role{Role: "app", ConnLimit: -1, ExpireIn: 30},
			have: &roleRow{oid: 1, connLimit: -1, validUntil: &until},
		},
		"days are counted anew with a new password": {
			want: &Role{Role: "app", ConnLimit: -1, ExpireIn: 30, Verifier: "md5" + strings.Repeat("1", 32)},
			have: &roleRow{oid: 1, connLimit: -1, validUntil: &until, password: "md5" + strings.Repeat("2", 32)},
			sql:  []string{`ALTER ROLE "app" PASSWORD 'md5` + strings.Repeat("1", 32) + `'`, `ALTER ROLE "app" VALID UNTIL '2026-12-22T12:00:00Z'`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := statements(diffRole(c.want, c.have, c.version, noonForTest))
			if d := cmp.Diff(c.sql, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRoleChangeShowsNoPassword(t *testing.T) {
	want := &Role{Role: "app", Verifier: scramForTest}
	for _, have := range []*roleRow{nil, {oid: 1, password: "md5" + strings.Repeat("a", 32)}} {
		data, err := json.Marshal(changeOf(resource.Update, diffRole(want, have, 17, noonForTest)))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), "secret, scram-sha-256") || strings.Contains(string(data), "4096") || strings.Contains(string(data), "aaaa") {
			t.Errorf("change %s", data)
		}
	}
}

func TestPasswordStatementsAreMarked(t *testing.T) {
	for _, e := range diffRole(&Role{Role: "app", Verifier: scramForTest}, nil, 17, noonForTest) {
		if holds := strings.Contains(strings.Join(e.SQL, " "), "PASSWORD"); holds != e.Secret {
			t.Errorf("%v: secret %v", e.SQL, e.Secret)
		}
	}
}

func TestRoleIsChecked(t *testing.T) {
	for want, r := range map[string]*Role{
		"no date and time":     {Role: "app", ValidUntil: "tomorrow"},
		"in none of the forms": {Role: "app", Verifier: "DBUser.App"},
	} {
		err := r.check()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if err != nil && strings.Contains(err.Error(), "DBUser") {
			t.Errorf("%v tells the password", err)
		}
	}
}

func TestRoleIsToBeCreatedWhereNothingRuns(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	c, err := (&Role{Role: "app", Login: true, Inherit: true, ConnLimit: -1}).Diff(t.Context(), h)
	if err != nil || c == nil || c.Action != resource.Create {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := (&Role{Role: "app", Absent: true}).Diff(t.Context(), h); c != nil || err != nil {
		t.Errorf("absent: %+v, %v", c, err)
	}
}

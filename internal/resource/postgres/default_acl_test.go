package postgres

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pigsty/internal/resource"
)

func TestDefaultPrivilegeLines(t *testing.T) {
	for line, want := range map[string]defaultLine{
		"GRANT USAGE, UPDATE ON SEQUENCES TO dbrole_readwrite":     {privileges: []string{"USAGE", "UPDATE"}, kind: "S", grantees: []string{"dbrole_readwrite"}},
		"grant all privileges on routines to A, \"B c\", PUBLIC; ": {privileges: []string{"ALL"}, kind: "f", grantees: []string{"a", "B c", ""}},
		"REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC":                  {revoke: true, privileges: []string{"EXECUTE"}, kind: "f", grantees: []string{""}},
		"GRANT SELECT ON TABLES TO x WITH GRANT OPTION":            {privileges: []string{"SELECT"}, kind: "r", grantees: []string{"x"}, option: true},
	} {
		got, err := parseDefaultLine(line)
		if err != nil {
			t.Error(err)
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(defaultLine{})); d != "" {
			t.Errorf("%s: %s", line, d)
		}
	}
	for _, line := range []string{"", "GRANT dbrole_admin TO x", "GRANT SELECT ON VIEWS TO x", "GRANT SELECT ON TABLES FROM x", `GRANT SELECT" ON TABLES TO x`, "DROP TABLE x"} {
		if got, err := parseDefaultLine(line); err == nil {
			t.Errorf("%q is read as %+v", line, got)
		}
	}
}

func TestStatementsMakeTheDefaults(t *testing.T) {
	line := rapid.Custom(func(t *rapid.T) string {
		kind := rapid.SampledFrom(defaultKinds).Draw(t, "kind")
		privilege := rapid.SampledFrom(append([]string{"ALL"}, builtinForTest.all[kind.letter]...)).Draw(t, "privilege")
		grantee := rapid.SampledFrom([]string{"reader", `"Odd ""one"`, "PUBLIC", "admin"}).Draw(t, "grantee")
		if rapid.IntRange(0, 4).Draw(t, "verb") == 0 {
			return "REVOKE " + privilege + " ON " + kind.word + " FROM " + grantee
		}
		option := ""
		if grantee != "PUBLIC" && rapid.Bool().Draw(t, "option") {
			option = " WITH GRANT OPTION"
		}
		return "GRANT " + privilege + " ON " + kind.word + " TO " + grantee + option
	})
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		for range 2 {
			want, err := wantDefaults(rapid.SliceOfN(line, 0, 8).Draw(t, "lines"), builtinForTest)
			if err != nil {
				t.Fatal(err)
			}
			m.run(diffDefaults("admin", want, m.defaults["admin"], builtinForTest))
			if again := diffDefaults("admin", want, m.defaults["admin"], builtinForTest); len(again) > 0 {
				t.Fatalf("not in order after its own statements: %v", statements(again))
			}
			checkDefaults(t, want, m.defaults["admin"])
		}
	})
}

// checkDefaults compares both ways, but for the creator and for what PUBLIC has anyway.
func checkDefaults(t *rapid.T, want map[string]defaultWant, have map[string]acl) {
	for kind, list := range have {
		for _, g := range list {
			if g.grantee != "" && g.grantee != "admin" && !want[kind].grants.has(g.grantee, g.privilege, g.option) {
				t.Fatalf("%+v on %s is in no line", g, kind)
			}
		}
	}
	for kind, w := range want {
		for _, g := range w.grants {
			if _, ok := have[kind]; g.grantee != "" && g.grantee != "admin" && (!ok || !have[kind].has(g.grantee, g.privilege, g.option)) {
				t.Fatalf("%+v on %s is missing", g, kind)
			}
		}
	}
}

func TestDefaultStatementsAreFew(t *testing.T) {
	want, err := wantDefaults([]string{
		"GRANT SELECT ON TABLES TO reader", "GRANT INSERT, UPDATE ON TABLES TO writer", "REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
	}, builtinForTest)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]acl{"r": append(builtinList(builtinForTest, "admin", "r"),
		grant{"reader", "SELECT", true}, grant{"writer", "INSERT", false}, grant{"stranger", "DELETE", false})}
	sql := []string{
		`ALTER DEFAULT PRIVILEGES FOR ROLE "admin" REVOKE DELETE ON TABLES FROM "stranger"`,
		`ALTER DEFAULT PRIVILEGES FOR ROLE "admin" REVOKE GRANT OPTION FOR SELECT ON TABLES FROM "reader"`,
		`ALTER DEFAULT PRIVILEGES FOR ROLE "admin" GRANT UPDATE ON TABLES TO "writer"`,
		`ALTER DEFAULT PRIVILEGES FOR ROLE "admin" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC`,
	}
	if d := cmp.Diff(sql, statements(diffDefaults("admin", want, have, builtinForTest))); d != "" {
		t.Error(d)
	}
}

func TestPrivilegesWhereNothingRuns(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	p := &Privileges{Database: "template1", DefaultPrivileges: []string{"GRANT SELECT ON TABLES TO reader"}, Schemas: []string{"monitor"}}
	c, err := p.Diff(t.Context(), h)
	if err != nil || c == nil || c.Action != resource.Create || len(c.Fields) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	p.DefaultPrivileges = []string{"nonsense"}
	if _, err := p.Diff(t.Context(), h); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("%v", err)
	}
}

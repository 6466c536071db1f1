package postgres

import (
	"slices"
	"strings"
	"testing"
)

func poolAuthForTest() *PoolAuth {
	return &PoolAuth{Login: "dbuser_pgbouncer", Withheld: []string{"postgres", "it's"}}
}

// poolAuthInOrder is what the catalog has after Apply.
func poolAuthInOrder(a *PoolAuth) *poolAuthRow {
	return &poolAuthRow{
		login: true, plain: true, schema: true, function: true, comment: a.comment(),
		schemaACL:   acl{{grantee: a.Login, privilege: "USAGE"}},
		functionACL: acl{{grantee: a.Login, privilege: "EXECUTE"}},
	}
}

func TestPoolAuthInOrderIsLeftAlone(t *testing.T) {
	a := poolAuthForTest()
	if edits := diffPoolAuth(a, poolAuthInOrder(a)); len(edits) > 0 {
		t.Errorf("%q", statements(edits))
	}
	a.Absent = true
	if edits := diffPoolAuth(a, &poolAuthRow{login: true, schema: true, function: true, comment: "made by somebody else"}); len(edits) > 0 {
		t.Errorf("what is not ours is dropped: %q", statements(edits))
	}
}

// Whoever else may use what hands out verifiers is kept from it, whatever gave them the right.
func TestPoolAuthIsForItsLoginAlone(t *testing.T) {
	a := poolAuthForTest()
	for name, change := range map[string]func(*poolAuthRow){
		"new":                   func(r *poolAuthRow) { *r = poolAuthRow{} },
		"another definition":    func(r *poolAuthRow) { r.comment = "an older one (pigsty 012345)" },
		"everybody may call it": func(r *poolAuthRow) { r.functionACL = append(r.functionACL, grant{privilege: "EXECUTE"}) },
		"readers may call it": func(r *poolAuthRow) {
			r.functionACL = append(r.functionACL, grant{grantee: "dbrole_readonly", privilege: "EXECUTE"})
		},
		"the login may pass it on": func(r *poolAuthRow) { r.functionACL[0].option = true },
		"the login may not":        func(r *poolAuthRow) { r.functionACL = nil },
	} {
		have := poolAuthInOrder(a)
		change(have)
		sql := statements(diffPoolAuth(a, have))
		at := func(part string) int {
			return slices.IndexFunc(sql, func(s string) bool { return strings.Contains(s, part) })
		}
		order := []int{
			at("REVOKE ALL ON FUNCTION pigsty_pool.get_auth(name) FROM PUBLIC"), at("aclexplode((SELECT proacl"),
			at(`GRANT EXECUTE ON FUNCTION pigsty_pool.get_auth(name) TO "dbuser_pgbouncer"`),
		}
		if made := at("CREATE OR REPLACE FUNCTION"); !slices.IsSorted(order) || order[0] < 0 || made > order[0] {
			t.Errorf("%s: %v in %q", name, order, sql)
		}
		if edits := diffPoolAuth(a, have); slices.ContainsFunc(edits, func(e edit) bool { return e.Alone }) {
			t.Errorf("%s: there is a moment between the statements", name)
		}
	}
	have := poolAuthInOrder(a)
	have.schemaACL = append(have.schemaACL, grant{grantee: "dbrole_readonly", privilege: "USAGE"})
	if sql := statements(diffPoolAuth(a, have)); len(sql) != 3 || !strings.HasPrefix(sql[0], "REVOKE ALL ON SCHEMA") {
		t.Errorf("readers may use the schema: %q", sql)
	}
	have = poolAuthInOrder(a)
	have.plain = false
	if sql := statements(diffPoolAuth(a, have)); len(sql) != 1 || !strings.Contains(sql[0], "NOSUPERUSER") || !strings.Contains(sql[0], "PASSWORD NULL") {
		t.Errorf("a login that may do more: %q", sql)
	}
}

// The definition finds nothing by a search path, and names itself among those it does not tell of.
func TestPoolAuthDefinition(t *testing.T) {
	body := poolAuthForTest().body()
	for _, want := range []string{"SECURITY DEFINER", "SET search_path = pg_catalog, pg_temp", "dbuser_pgbouncer", "postgres", "it''''s", "rolreplication", "rolcanlogin"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	if one, other := poolAuthForTest().comment(), (&PoolAuth{Login: "dbuser_pgbouncer"}).comment(); one == other {
		t.Error("who is withheld does not change the definition's digest")
	}
}

func TestPoolAuthDropsWhatItMade(t *testing.T) {
	a := poolAuthForTest()
	a.Absent = true
	want := []string{"DROP FUNCTION pigsty_pool.get_auth(name)", "DROP SCHEMA pigsty_pool", `DROP ROLE "dbuser_pgbouncer"`}
	if sql := statements(diffPoolAuth(a, poolAuthInOrder(a))); !slices.Equal(sql, want) {
		t.Errorf("%q", sql)
	}
}

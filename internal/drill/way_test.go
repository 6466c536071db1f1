package drill

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/inventory"
	"pigsty/internal/model"
	"pigsty/internal/param"
)

// cluster is the cluster pg of an inventory with these variables of it.
func cluster(t *testing.T, vars string) *model.PgCluster {
	t.Helper()
	text := "all:\n  children:\n    pg:\n      hosts:\n        10.0.0.1: { pg_seq: 1, pg_role: primary }\n        10.0.0.2: { pg_seq: 2, pg_role: replica }\n" +
		"      vars:\n        pg_cluster: pg\n" + vars + "  vars:\n    dcs_servers: { etcd-1: 10.0.0.1 }\n    pg_dcs_type: etcd\n"
	placeholders := map[string]string{}
	for _, name := range param.Secrets() {
		placeholders[name] = "generated"
	}
	inv, problems := inventory.Parse("test.yml", []byte(text), inventory.Options{Generated: placeholders})
	d, more := model.Build(inv)
	problems.Add(more...)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return d.Cluster("pg")
}

const business = `        pg_databases: [{ name: closed, revokeconn: true, owner: other }, { name: shop }]
        pg_users:
          - { name: hashed, password: md5d751713988987e9331980363e24189ce, pgbouncer: true }
          - { name: direct, password: secret }
          - { name: shop, password: secret, pgbouncer: true }
`

func TestWays(t *testing.T) {
	c := cluster(t, business+"        vip_mode: l2\n        vip_address: 10.0.0.9\n        vip_cidrmask: 24\n")
	l, err := chooseLogins(c, nil, "", "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range waysInto(c, l) {
		does := "writes"
		if w.read {
			does = "reads"
		}
		got = append(got, w.name()+" at "+w.host+": "+w.login.user+" "+does)
	}
	want := []string{
		"5433 through virtual address at 10.0.0.9: shop writes", "5433 through pg-1 at 10.0.0.1: shop writes", "5433 through pg-2 at 10.0.0.2: shop writes",
		"5434 through virtual address at 10.0.0.9: shop reads", "5434 through pg-1 at 10.0.0.1: shop reads", "5434 through pg-2 at 10.0.0.2: shop reads",
		"5436 through virtual address at 10.0.0.9: dbuser_dba writes", "5436 through pg-1 at 10.0.0.1: dbuser_dba writes", "5436 through pg-2 at 10.0.0.2: dbuser_dba writes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if l.database != "shop" {
		t.Errorf("the database is %s", l.database)
	}
}

// Without a user that can log in, the pool is not measured, and that is said.
func TestWaysWithoutAPool(t *testing.T) {
	c := cluster(t, "        pg_users: [{ name: direct, password: secret }]\n")
	l, err := chooseLogins(c, nil, "", "")
	if err != nil || l.pool != nil || !strings.Contains(strings.Join(l.said, " "), "The pool is not measured") {
		t.Errorf("%+v, %v", l, err)
	}
	for _, w := range waysInto(c, l) {
		if w.pool || !w.read && w.service.Port != 5436 {
			t.Errorf("%s is a way", w.name())
		}
	}
}

func TestLoginsThatDoNotFit(t *testing.T) {
	c := cluster(t, business)
	for _, flags := range [][2]string{{"nobody", ""}, {"hashed", ""}, {"direct", ""}, {"shop", "closed"}, {"shop", "nowhere"}} {
		if _, err := chooseLogins(c, nil, flags[0], flags[1]); err == nil || !strings.Contains(err.Error(), "cannot be used") {
			t.Errorf("%q: %v", flags, err)
		}
	}
	if l, err := chooseLogins(c, nil, "shop", "shop"); err != nil || l.pool == nil || l.pool.user != "shop" {
		t.Errorf("%+v, %v", l, err)
	}
}

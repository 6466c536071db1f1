package pgsql_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"pigsty/internal/engine"
	"pigsty/internal/fact"
	"pigsty/internal/model"
	"pigsty/internal/module/pgsql"
	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/etcd"
	"pigsty/internal/resource/postgres"
)

// verb gives a verb's steps on a deployment, as a command line has it.
func verb(t *testing.T, d *model.Deployment, parent, line string) ([]resource.Step, error) {
	t.Helper()
	words := strings.Fields(line)
	n := slices.IndexFunc(pgsql.Verbs, func(v operation.Verb) bool { return v.Parent == parent && v.Name() == words[0] })
	flags := pflag.NewFlagSet(line, pflag.ContinueOnError)
	compile := pgsql.Verbs[n].Prepare(flags)
	if err := flags.Parse(words[1:]); err != nil {
		t.Fatal(err)
	}
	list, err := compile(flags.Args())
	if err != nil {
		return nil, err
	}
	return list(d, d.Cluster("pg-test"))
}

// trio is a cluster that runs and whose second member leads, since a failover, though the first is
// declared primary; unprotected.
func trio(t *testing.T) *model.Deployment {
	d := deployment(t, "running")
	c := d.Cluster("pg-test")
	for _, i := range c.Instances {
		i.Param.PgSafeguard = false
	}
	return d
}

// find lists where a resource of an ID is among the steps of a node; -1 where it is not.
func find(steps []resource.Step, node, id string) int {
	return slices.IndexFunc(steps, func(s resource.Step) bool { return s.Node == node && resource.ID(s.Resource) == id })
}

const (
	first, second, third = "10.10.10.11", "10.10.10.12", "10.10.10.13"
	patroniStep          = "unit:patroni.service"
)

// v1.5 detected who leads and then removed by what was declared: after a failover it took the
// primary for a replica.
func TestRemoveInstanceGoesByWhoLeads(t *testing.T) {
	d := trio(t)
	if steps, err := verb(t, d, "remove", "instance pg-test-1"); err != nil || find(steps, first, patroniStep) < 0 {
		t.Errorf("the declared primary, which is a replica by now: %d steps, %v", len(steps), err)
	}
	if _, err := verb(t, d, "remove", "instance pg-test-2"); err == nil || !strings.Contains(err.Error(), "pg-test-2 is the primary of pg-test: switch over first") {
		t.Errorf("the declared replica, which leads: %v", err)
	}
}

func TestRemoveRefuses(t *testing.T) {
	for line, c := range map[string]struct {
		prepare func(c *model.PgCluster)
		want    string
	}{
		"instance pg-test":             {want: "pg-test is a cluster: name one of its instances"},
		"instance pg-test-3":           {func(c *model.PgCluster) { c.Instances[2].Param.PgSafeguard = true }, "pg-test-3 is protected by pg_safeguard"},
		"instance pg-test-3 --now":     {want: "pg_clean is false"},
		"instance pg-test-3 --keep -1": {want: "--keep takes a number of days"},
		"instance  pg-test-3": {func(c *model.PgCluster) {
			c.Instances[2].Node.Known, c.Instances[2].Node.Facts = false, fact.Node{}
		}, "pg-test-3 on 10.10.10.13 cannot be reached"},
		"instance   pg-test-3": {func(c *model.PgCluster) {
			for _, i := range c.Instances {
				i.Node.Facts.Patroni = nil
			}
		}, "nobody says who leads pg-test"},
		"instance    pg-test-3": {func(c *model.PgCluster) { c.Instances = c.Instances[2:] }, "remove cluster takes both"},
		"cluster pg-test-1":     {want: "pg-test-1 is an instance of pg-test"},
		"cluster pg-test":       {func(c *model.PgCluster) { c.Instances[1].Param.PgSafeguard = true }, "pg-test-2 is protected"},
		"cluster  pg-test":      {func(c *model.PgCluster) { c.Instances[0].Node.Known = false }, "pg-test-1 on 10.10.10.11 cannot be reached"},
		"cluster pg-test --skip-unreachable": {func(c *model.PgCluster) {
			for _, i := range c.Instances {
				i.Node.Known = false
			}
		}, "no node of cluster pg-test can be reached"},
		"database pg-test":              {want: `"pg-test" names no cluster and what is in it`},
		"database pg-test/test":         {want: "the inventory still lists database test: take it out of pg_databases first"},
		"database pg-test/postgres":     {want: "postgres is not removed"},
		"database pg-test/other --now":  {want: "pg_clean is false"},
		"user pg-test/test":             {want: "the inventory still lists user test: take it out of pg_users first"},
		"user pg-test/dbuser_dba":       {want: "dbuser_dba is not removed"},
		"user pg-test/dbrole_readwrite": {want: "dbrole_readwrite is not removed"},
		"user pg-test/postgres":         {want: "postgres is not removed"},
		"user pg-test/pg_monitor":       {want: "pg_monitor is not removed"},
		"user pg-test/other": {func(c *model.PgCluster) {
			for _, i := range c.Instances {
				i.Node.Facts.Patroni = nil
			}
		}, "nobody takes writes in cluster pg-test"},
	} {
		d := trio(t)
		if c.prepare != nil {
			c.prepare(d.Cluster("pg-test"))
		}
		if steps, err := verb(t, d, "remove", line); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d steps, error %v; want %q", line, len(steps), err, c.want)
		}
	}
}

// The last to stop is who leads, when nobody is there to take over; only then does the store forget
// the cluster, by a certificate that is still there.
func TestRemoveClusterStopsTheLeaderLast(t *testing.T) {
	steps, err := verb(t, trio(t), "remove", "cluster pg-test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.NewGraph(steps); err != nil {
		t.Fatal(err)
	}
	want := []resource.Ref{{Node: first, ID: patroniStep}, {Node: third, ID: patroniStep}}
	if got := steps[find(steps, second, patroniStep)].After; !slices.Equal(got, want) {
		t.Errorf("the leader stops after %v", got)
	}
	forget, cert := find(steps, second, "etcd_forget:/pg/pg-test/"), find(steps, second, "file:/etc/pigsty/pgsql/server.crt")
	if stop := find(steps, second, patroniStep); stop > forget || forget > cert || forget < 0 {
		t.Errorf("stop, forget, certificate are steps %d, %d, %d", stop, forget, cert)
	}
	if f := steps[forget].Resource.(*etcd.Forget); f.User != "pg-test" {
		t.Errorf("it forgets user %q", f.User)
	}
}

// Of what an apply puts on a node, nothing stays that speaks of the cluster, and nothing that is in
// the data is deleted.
func TestRemoveLeavesNoFile(t *testing.T) {
	for _, name := range []string{"running", "choices", "trio"} {
		d := deployment(t, name)
		for _, c := range d.Pg {
			for _, i := range c.Instances {
				i.Param.PgSafeguard = false
			}
		}
		c := d.Pg[0]
		n := slices.IndexFunc(pgsql.Verbs, func(v operation.Verb) bool { return v.Usage == "cluster NAME" })
		list, err := pgsql.Verbs[n].Prepare(pflag.NewFlagSet("", pflag.ContinueOnError))([]string{c.Name})
		if err != nil {
			t.Fatal(err)
		}
		removed, err := list(d, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range pgsql.Compile(d) {
			f, ok := s.Resource.(*resource.File)
			about := append(s.About, s.Node)[0]
			if !ok || f.Absent || d.Node(about).Pg.Cluster != c || strings.HasPrefix(f.Path, "/etc/postgresql-common/") {
				continue
			}
			at := find(removed, s.Node, resource.ID(f))
			switch inData := strings.HasPrefix(f.Path, "/pg/"); {
			case inData && at >= 0:
				t.Errorf("%s: %s is deleted before it is set aside", name, f.Path)
			case !inData && (at < 0 || !removed[at].Resource.(*resource.File).Absent):
				t.Errorf("%s: %s stays on %s", name, f.Path, s.Node)
			}
		}
	}
}

// Of a member whose node is gone, only what others have of it goes.
func TestRemoveInstanceOfALostNode(t *testing.T) {
	d := trio(t)
	n := d.Node(third)
	n.Known, n.Facts = false, fact.Node{}
	steps, err := verb(t, d, "remove", "instance pg-test-3 --skip-unreachable")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range steps {
		ids = append(ids, s.Node+" "+resource.ID(s.Resource))
	}
	registrar := d.Metas[0].Node.Addr
	if !slices.Equal(ids, []string{
		second + " parting:pg-test-3", second + " etcd_forget:/pg/pg-test/members/pg-test-3",
		registrar + " file:/etc/prometheus/targets/pgsql/pg-test-3.yml", registrar + " file:/etc/prometheus/targets/probe/pg-test-3.pgsql.yml",
		registrar + " file:/etc/nginx/conf.d/haproxy/pg-test-3.conf", registrar + " unit_reload:nginx.service.pg-test",
	}) {
		t.Errorf("%q", ids)
	}
	if p := steps[0].Resource.(*postgres.Parting); !p.Away {
		t.Error("nobody asks whether it is alive")
	}
}

// Pools let go before anybody is looked for, and that is on all members before the leader acts.
func TestRemoveDatabaseOrder(t *testing.T) {
	steps, err := verb(t, trio(t), "remove", "database pg-test/old --end-sessions --keep 3")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.NewGraph(steps); err != nil {
		t.Fatal(err)
	}
	aside := steps[find(steps, second, "pg_database_aside:old")]
	want := []resource.Ref{{Node: first, ID: "pg_no_sessions:database old"}, {Node: third, ID: "pg_no_sessions:database old"}}
	if !slices.Equal(aside.After, want) {
		t.Errorf("it waits for %v", aside.After)
	}
	for _, node := range []string{first, second, third} {
		pool, sessions := find(steps, node, "unit:pgbouncer.service"), find(steps, node, "pg_no_sessions:database old")
		if pool < 0 || pool > sessions || find(steps, node, "unit:pigsty-expire.timer") < 0 {
			t.Errorf("%s: pool is step %d, sessions %d", node, pool, sessions)
		}
	}
	if d := aside.Resource.(*postgres.DatabaseAside); d.Days != 3 || !d.End || d.As != "pg-test/old" {
		t.Errorf("%+v", d)
	}
}

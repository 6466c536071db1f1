package module_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pigsty/internal/engine"
	"pigsty/internal/fact"
	"pigsty/internal/model"
	"pigsty/internal/module"
	"pigsty/internal/operation"
	"pigsty/internal/param"
	"pigsty/internal/resource"
)

const (
	first, second, third = "10.10.10.11", "10.10.10.12", "10.10.10.13"
	start                = "unit:patroni.service"
	store                = "etcd_access:pigsty"
)

// keptOf is what the members of a removed cluster left.
func keptOf(servers map[string]*resource.Server) []operation.Kept {
	var things []operation.Kept
	for node, item := range map[string]string{first: "pg-test-1", second: "pg-test-2", third: "pg-test-3"} {
		things = append(things, operation.Kept{Node: node, Aside: resource.Aside{
			What: resource.AsideInstance, Item: item, Name: "pg-test", Server: servers[node], Removed: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		}})
	}
	return things
}

func step(t *testing.T, steps []resource.Step, node, id string) resource.Step {
	t.Helper()
	n := slices.IndexFunc(steps, func(s resource.Step) bool { return s.Node == node && resource.ID(s.Resource) == id })
	if n < 0 {
		t.Fatalf("%s is not listed on %s", id, node)
	}
	return steps[n]
}

// Who had the last of what was written starts first, whoever is declared primary, and the others'
// data stay where they are until it takes writes.
func TestUndoStartsWithTheLastPrimary(t *testing.T) {
	for name, c := range map[string]struct {
		servers map[string]*resource.Server
		want    string
	}{
		"a clean end": {map[string]*resource.Server{
			first: {System: "7", Timeline: 2, Checkpoint: 900}, second: {System: "7", Timeline: 2, Checkpoint: 900, Primary: true}, third: {System: "7", Timeline: 2, Checkpoint: 900},
		}, second},
		"an old primary that never came back": {map[string]*resource.Server{
			first: {System: "7", Timeline: 1, Checkpoint: 999, Primary: true}, second: {System: "7", Timeline: 2, Checkpoint: 900, Primary: true}, third: {System: "7", Timeline: 2, Checkpoint: 800},
		}, second},
		"no primary": {map[string]*resource.Server{
			first: {System: "7", Timeline: 2, Checkpoint: 800}, second: {System: "7", Timeline: 2, Checkpoint: 900}, third: {System: "7", Timeline: 2, Checkpoint: 950},
		}, third},
	} {
		d := deployment(t)
		steps, err := module.Undo(d, keptOf(c.servers))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.NewGraph(steps); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		leads := d.Node(c.want).Pg
		ready := resource.Ref{Node: c.want, ID: "pg_ready:" + leads.Name}
		step(t, steps, first, store)
		for _, i := range leads.Cluster.Instances {
			back := step(t, steps, i.Node.Addr, "put_back:"+i.Name)
			if waits := slices.Contains(back.After, ready); waits != (i != leads) {
				t.Errorf("%s: the data of %s come back after %v", name, i.Name, back.After)
			}
		}
	}
}

// What is left of an earlier cluster of the same name is no member of this one.
func TestUndoLeavesOtherClustersOut(t *testing.T) {
	steps, err := module.Undo(deployment(t), keptOf(map[string]*resource.Server{
		first: {System: "7", Primary: true}, second: {System: "7"}, third: {System: "6"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.Node == third {
			t.Errorf("%s is listed on its node", resource.ID(s.Resource))
		}
	}
}

// An instance of a cluster that runs follows who leads it, and the store is left alone.
func TestUndoOfAnInstance(t *testing.T) {
	d := deployment(t)
	for _, node := range []string{first, second} {
		d.Node(node).Facts.PgData = true
		d.Node(node).Facts.Patroni = &fact.Patroni{Role: "replica", State: "running", Leader: "pg-test-2"}
	}
	d.Node(second).Facts.Patroni.Role = "primary"
	one := slices.DeleteFunc(keptOf(nil), func(k operation.Kept) bool { return k.Node != third })
	steps, err := module.Undo(d, one)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.Node != third || len(s.After) > 0 {
			t.Errorf("%s on %s after %v", resource.ID(s.Resource), s.Node, s.After)
		}
	}
	one[0].Item = "pg-test-9"
	if _, err := module.Undo(d, one); err == nil || !strings.Contains(err.Error(), "the inventory no longer has pg-test-9 on 10.10.10.13") {
		t.Errorf("one that is listed no more: %v", err)
	}
	one[0].What = resource.AsideEtcd
	if _, err := module.Undo(d, one); err == nil || !strings.Contains(err.Error(), "cannot come back as what it was") {
		t.Errorf("a member of etcd: %v", err)
	}
}

func TestNamed(t *testing.T) {
	kept := func(what, name string) operation.Kept {
		return operation.Kept{Aside: resource.Aside{What: what, Name: name}}
	}
	all := []operation.Kept{kept(resource.AsideDatabase, "c/shop"), kept(resource.AsideUser, "c/shop"), kept(resource.AsideInstance, "c-1")}
	for _, c := range []struct {
		name, what string
		found      int
		refused    string
	}{
		{"c-1", "", 1, ""},
		{"c/shop", resource.AsideUser, 1, ""},
		{"c/shop", "", 0, "c/shop is the name of a database and of a user: say which with --what"},
		{"c-2", "", 0, "there is c/shop, c-1"},
	} {
		found, err := module.Named(all, c.name, c.what)
		if (err != nil) != (c.refused != "") || err != nil && !strings.Contains(err.Error(), c.refused) || err == nil && len(found) != c.found {
			t.Errorf("%s %s: %+v, %v", c.name, c.what, found, err)
		}
	}
}

// nodeRemoval is three nodes with etcd and nothing else, of which the second goes.
func nodeRemoval(t *testing.T, how module.NodeRemoval, change func(d *model.Deployment)) ([]resource.Step, error) {
	d := deployment(t)
	for _, n := range d.Nodes {
		n.Facts.EtcdData, n.Dcs.DcsSafeguard = true, false
	}
	change(d)
	return module.RemoveNode(d, second, how)
}

func TestRemoveNode(t *testing.T) {
	steps, err := nodeRemoval(t, module.NodeRemoval{}, func(*model.Deployment) {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.NewGraph(steps); err != nil {
		t.Fatal(err)
	}
	leave := step(t, steps, first, "etcd_leave:unlisted")
	if retire := step(t, steps, second, "etcd_retire:etcd.service"); !slices.Contains(retire.After, leave.Ref()) {
		t.Errorf("the member is put away after %v", retire.After)
	}
	for _, s := range steps {
		f, ok := s.Resource.(*resource.File)
		if ok && (!f.Absent || strings.HasPrefix(f.Path, "/etc/sudoers.d/") || strings.HasPrefix(f.Path, "/home/")) {
			t.Errorf("it would touch %s", f.Path)
		}
	}
	steps, err = nodeRemoval(t, module.NodeRemoval{}, func(d *model.Deployment) {
		n := d.Node(second)
		n.Meta = &model.Meta{Node: n, Param: d.Infra}
		n.Meta.Param.NginxUsers = []param.PortalUser{{Name: "ann", Password: "secret"}}
		d.Metas = append(d.Metas, n.Meta)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.NewGraph(steps); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"/etc/nginx/pigsty.users", "/etc/pigsty/infra/nginx.key", "/etc/prometheus/prometheus.yml", "/etc/prometheus/targets/infra/" + second + ".yml"} {
		if f, ok := step(t, steps, second, "file:"+gone).Resource.(*resource.File); !ok || !f.Absent {
			t.Errorf("%s stays", gone)
		}
	}
	if u, ok := step(t, steps, second, "unit:prometheus.service").Resource.(*resource.Unit); !ok || !u.Stopped {
		t.Error("Prometheus goes on")
	}
	for want, c := range map[string]struct {
		how    module.NodeRemoval
		change func(d *model.Deployment)
	}{
		"carries pg-test-2: remove that first":   {change: func(d *model.Deployment) { d.Node(second).Facts.PgData = true }},
		"protected by dcs_safeguard":             {change: func(d *model.Deployment) { d.Node(second).Dcs.DcsSafeguard = true }},
		"has the only member of etcd":            {change: func(d *model.Deployment) { d.Etcd.Members = d.Etcd.Members[1:2] }},
		"dcs_clean is false":                     {how: module.NodeRemoval{Now: true}, change: func(*model.Deployment) {}},
		"when it is gone for good":               {change: func(d *model.Deployment) { d.Node(second).Known = false }},
		"no other member of etcd can be reached": {change: func(d *model.Deployment) { d.Node(first).Known, d.Node(third).Known = false, false }},
	} {
		if _, err := nodeRemoval(t, c.how, c.change); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	steps, err = nodeRemoval(t, module.NodeRemoval{SkipUnreachable: true}, func(d *model.Deployment) {
		d.Node(second).Known, d.Node(second).Facts = false, fact.Node{}
	})
	if err != nil || len(steps) != 1 || steps[0].Node != first {
		t.Errorf("of a node that is gone: %+v, %v", steps, err)
	}
}

package pgsql_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pigsty/internal/engine"
	"pigsty/internal/fact"
	"pigsty/internal/golden"
	"pigsty/internal/model"
	"pigsty/internal/module/pgsql"
	"pigsty/internal/resource"
	"pigsty/internal/resource/fault"
)

// withEtcd is the case with three members of etcd, on the nodes of the cluster.
func withEtcd(t *testing.T, members int) *model.Deployment {
	d := deployment(t, "running")
	d.Etcd.Members = nil
	for _, i := range d.Pg[0].Instances[:members] {
		m := &model.EtcdMember{Cluster: d.Etcd, Name: "etcd-" + i.Name[len(i.Name)-1:], Addr: i.Node.Addr, Node: i.Node}
		i.Node.Etcd = m
		d.Etcd.Members = append(d.Etcd.Members, m)
	}
	return d
}

func TestFaults(t *testing.T) {
	var text strings.Builder
	for _, f := range fault.All() {
		d := withEtcd(t, 3)
		steps, err := pgsql.Fault(d, d.Pg[0], f.Name, 0, false)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		if _, err := engine.NewGraph(steps); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		// What breaks comes after every look at what must be whole, on every node.
		last := steps[len(steps)-1]
		idle := 0
		for _, s := range steps {
			if _, looks := s.Resource.(*fault.Idle); looks {
				idle++
			}
		}
		elsewhere := 0
		for _, ref := range last.After {
			if strings.HasPrefix(ref.ID, "fault_idle:") {
				elsewhere++
			}
		}
		if f.Name != fault.Switchover && (idle != 3 || elsewhere != 2) {
			t.Errorf("%s: looks at %d nodes, and the last step waits for %d", f.Name, idle, elsewhere)
		}
		text.WriteString("== " + f.Name + "\n" + golden.Steps(steps))
	}
	golden.Compare(t, filepath.Join("testdata", "faults.txt"), text.String())
}

func TestFaultsThatAreRefused(t *testing.T) {
	for want, c := range map[string]struct {
		name    string
		lasts   time.Duration
		members int
		change  func(d *model.Deployment)
	}{
		`fault "flood" is not known`: {name: "flood", members: 3},
		"over at once":               {name: fault.KillPostgres, lasts: time.Minute, members: 3},
		"cannot last 2h0m0s":         {name: fault.Freeze, lasts: 2 * time.Hour, members: 3},
		"has only 1 members":         {name: fault.EtcdLeader, members: 1},
		"10.10.10.13 cannot be reached": {name: fault.EtcdQuorum, members: 3, change: func(d *model.Deployment) {
			d.Pg[0].Instances[2].Node.Known = false
		}},
		"has no leader": {name: fault.Freeze, members: 3, change: func(d *model.Deployment) {
			for _, i := range d.Pg[0].Instances {
				i.Node.Facts.Patroni = &fact.Patroni{Role: "replica"}
			}
		}},
		"a majority of etcd's members is 2, and this inventory manages 1": {name: fault.EtcdQuorum, members: 3, change: func(d *model.Deployment) {
			d.Etcd.Members[0].Node, d.Etcd.Members[1].Node = nil, nil
		}},
		"may be a member that this inventory does not manage": {name: fault.EtcdLeader, members: 3, change: func(d *model.Deployment) {
			d.Etcd.Members[0].Node = nil
		}},
	} {
		d := withEtcd(t, c.members)
		if c.change != nil {
			c.change(d)
		}
		steps, err := pgsql.Fault(d, d.Pg[0], c.name, c.lasts, false)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %d steps, error %v, want one that says %q", c.name, len(steps), err, want)
		}
	}
}

// Faults are ended on whatever node can still be reached.
func TestEndFaults(t *testing.T) {
	d := withEtcd(t, 3)
	d.Pg[0].Instances[1].Node.Known = false
	steps, err := pgsql.EndFaults(d, d.Pg[0])
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range steps {
		ids = append(ids, resource.ID(s.Resource))
	}
	if got := strings.Join(ids, " "); got != "fault_end:10.10.10.11 fault_end:10.10.10.13" {
		t.Errorf("steps %s", got)
	}
}

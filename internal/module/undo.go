package module

import (
	"fmt"
	"slices"
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/module/etcd"
	"pigsty/internal/module/pgsql"
	"pigsty/internal/operation"
	"pigsty/internal/register"
	"pigsty/internal/resource"
)

// Undo lists what brings back things that were removed under one name, oldest first; of one that
// was removed more than once, the last. The error says why it cannot be done.
func Undo(d *model.Deployment, things []operation.Kept) ([]resource.Step, error) {
	switch things = newest(things); things[0].What {
	case resource.AsideInstance:
		return undoInstances(d, things)
	case resource.AsideDatabase:
		return pgsql.UndoDatabase(d, d.Cluster(things[0].Cluster), things[0].Item)
	case resource.AsideUser:
		return pgsql.UndoUser(d, d.Cluster(things[0].Cluster), things[0].Item)
	}
	return nil, fmt.Errorf("%s was a member of etcd, and cannot come back as what it was: list its node in dcs_servers and apply, and it joins anew; --forget deletes what is kept of it", things[0].Item)
}

// newest keeps the last of each item.
func newest(things []operation.Kept) []operation.Kept {
	var last []operation.Kept
	for k, thing := range things {
		again := slices.ContainsFunc(things[k+1:], func(t operation.Kept) bool {
			return t.What == thing.What && t.Item == thing.Item && t.Node == thing.Node
		})
		if !again {
			last = append(last, thing)
		}
	}
	return last
}

// undoInstances lists data back in their places, then what an apply does on these nodes. A cluster
// of which nobody runs gets its account in the store again, and its last primary starts alone:
// only that one has all that was written.
func undoInstances(d *model.Deployment, things []operation.Kept) ([]resource.Step, error) {
	var c *model.PgCluster
	for _, thing := range things {
		n := d.Node(thing.Node)
		if n.Pg == nil || n.Pg.Name != thing.Item {
			return nil, fmt.Errorf("the inventory no longer has %s on %s: list it there again, then undo", thing.Item, thing.Node)
		}
		c = n.Pg.Cluster
	}
	runs := slices.ContainsFunc(c.Instances, func(i *model.PgInstance) bool { return i.Node.Facts.Patroni != nil })
	if !runs {
		things = choosePrimary(d, c, things)
	}
	var steps []resource.Step
	if access := storeAccess(d, c); access != nil && !runs {
		steps = append(steps, *access)
	}
	for _, thing := range things {
		back := resource.Step{Node: thing.Node, Module: "pgsql", Resource: &resource.PutBack{What: thing.What, Item: thing.Item}}
		if first := c.First; first != nil && first.Node.Addr != thing.Node {
			back.After = []resource.Ref{pgsql.ReadyRef(first)}
		}
		steps = append(steps, back)
	}
	for _, s := range pgsql.Compile(d) {
		if s.Branch != register.Branch && slices.ContainsFunc(things, func(t operation.Kept) bool { return t.Node == s.Node }) {
			steps = append(steps, s)
		}
	}
	steps = append(steps, pgsql.Registered(d, c)...)
	return withoutLooseEnds(steps), nil
}

// choosePrimary says which member starts first, and leaves out members of another cluster that had
// the same name before.
func choosePrimary(d *model.Deployment, c *model.PgCluster, things []operation.Kept) []operation.Kept {
	var with []*model.PgInstance // data in their places already, by an undo that was cut short
	for _, i := range c.Instances {
		if i.Node.Facts.PgData {
			with = append(with, i)
		}
	}
	if len(with) > 0 {
		if len(with) == 1 {
			c.First = with[0]
		}
		return things
	}
	first := slices.MaxFunc(things, func(a, b operation.Kept) int { return compareServers(a.Server, b.Server) })
	c.First = d.Node(first.Node).Pg
	return slices.DeleteFunc(slices.Clone(things), func(t operation.Kept) bool {
		return first.Server != nil && t.Server != nil && t.Server.System != first.Server.System
	})
}

// compareServers orders servers by what they have: a primary before a replica, then by timeline and
// position.
func compareServers(a, b *resource.Server) int {
	rank := func(s *resource.Server) []uint64 {
		if s == nil {
			return nil
		}
		primary := uint64(0)
		if s.Primary {
			primary = 1
		}
		return []uint64{primary, uint64(s.Timeline), s.Checkpoint}
	}
	return slices.Compare(rank(a), rank(b))
}

// storeAccess is the step that gives clusters their accounts in the store; nil when the store is
// somebody else's.
func storeAccess(d *model.Deployment, c *model.PgCluster) *resource.Step {
	if c.Etcd == nil || c.Etcd.Keeper() == nil {
		return nil
	}
	for _, s := range etcd.Compile(d) {
		if s.Ref() == etcd.AccessRef(c.Etcd) {
			return &s
		}
	}
	return nil
}

// withoutLooseEnds drops edges to steps that are not listed: what they lead to is as it should be.
func withoutLooseEnds(steps []resource.Step) []resource.Step {
	listed := map[resource.Ref]bool{}
	for _, s := range steps {
		listed[s.Ref()] = true
	}
	for k := range steps {
		steps[k].After = slices.DeleteFunc(slices.Clone(steps[k].After), func(r resource.Ref) bool { return !listed[r] })
	}
	return steps
}

// Destroy lists what deletes things that were removed, for good.
func Destroy(d *model.Deployment, things []operation.Kept) []resource.Step {
	var steps []resource.Step
	for _, thing := range newest(things) {
		steps = append(steps, resource.Step{Node: thing.Node, Module: "pgsql", Resource: destroyed(d, thing)})
	}
	return steps
}

func destroyed(d *model.Deployment, thing operation.Kept) resource.Resource {
	if thing.What == resource.AsideDatabase || thing.What == resource.AsideUser {
		return pgsql.Destroyed(d.Node(thing.Node).Pg, thing.What, thing.Item)
	}
	return &resource.DestroyAside{What: thing.What, Item: thing.Item}
}

// Named picks what was removed under a name. Where that is a database as well as a user, what says
// which; it is empty otherwise.
func Named(all []operation.Kept, name, what string) ([]operation.Kept, error) {
	var things []operation.Kept
	var names, kinds []string
	for _, thing := range all {
		if !slices.Contains(names, thing.Name) {
			names = append(names, thing.Name)
		}
		if thing.Name != name || what != "" && thing.What != what {
			continue
		}
		things = append(things, thing)
		if !slices.Contains(kinds, thing.What) {
			kinds = append(kinds, thing.What)
		}
	}
	switch {
	case len(kinds) > 1:
		return nil, fmt.Errorf("%s is the name of a %s: say which with --what", name, strings.Join(kinds, " and of a "))
	case len(things) == 0 && len(names) == 0:
		return nil, fmt.Errorf("nothing is set aside under the name %s, or any other", name)
	case len(things) == 0:
		return nil, fmt.Errorf("nothing is set aside under the name %s; there is %s", name, strings.Join(names, ", "))
	}
	return things, nil
}

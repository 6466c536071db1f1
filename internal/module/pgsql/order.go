package pgsql

import (
	"slices"

	"pigsty/internal/model"
	"pigsty/internal/resource"
	"pigsty/internal/resource/etcd"
)

// asleep tells whether the cluster exists and no member runs, as after a power cut. Which of
// them is to lead is then Patroni's to find out, so all start at once, unless it is known.
func (m *member) asleep() bool {
	return m.c.First == nil && m.c.Bootstrapped() && !slices.ContainsFunc(m.c.Instances, runs)
}

func runs(i *model.PgInstance) bool { return i.Node.Facts.Patroni != nil }

// startsAfter is what Patroni's unit waits for on other nodes.
//
// A new cluster is founded by its declared primary, and replicas copy it all at once. In one
// that runs, the unit may have been told to restart, so members take turns, the leader last;
// when nothing is to be done, a turn costs nothing.
func (m *member) startsAfter() []resource.Ref {
	after := append(m.etcdReady(), m.sourceReady()...)
	switch turns := m.turns(); {
	case m.asleep():
	case !slices.Contains(turns, m.i):
		if leader := m.c.Leader(); leader != m.i {
			after = append(after, readyRef(leader))
		}
	default:
		if at := slices.Index(turns, m.i); at > 0 {
			after = append(after, readyRef(turns[at-1]))
		}
	}
	return after
}

// readyAfter makes a replica whose primary failed to start not wait in vain.
func (m *member) readyAfter() []resource.Ref {
	leader := m.c.Leader()
	if m.asleep() || leader == m.i || slices.Contains(m.turns(), m.i) {
		return nil
	}
	return []resource.Ref{readyRef(leader)}
}

// turns are the running members in the order in which they may restart. A member that is yet to
// copy its data has no place among them: nobody should wait for hours.
func (m *member) turns() []*model.PgInstance {
	leader := m.c.Leader()
	var turns []*model.PgInstance
	for _, i := range m.c.Instances {
		if runs(i) && i != leader {
			turns = append(turns, i)
		}
	}
	if runs(leader) {
		turns = append(turns, leader)
	}
	return turns
}

// sourceReady is where the cluster lives that a new standby cluster copies: its leader.
func (m *member) sourceReady() []resource.Ref {
	if m.i != m.c.Primary() || m.c.Bootstrapped() || m.c.Upstream == nil {
		return nil
	}
	source := m.c.Upstream.Cluster
	if source == nil || !source.Param.PatroniEnabled {
		return nil
	}
	return []resource.Ref{readyRef(source.Leader())}
}

// etcdReady is where the cluster gets its user in etcd, without which nobody can be asked who
// leads. A cluster that runs has got it: an etcd member that is away must not keep it from
// anything.
func (m *member) etcdReady() []resource.Ref {
	keeper := m.c.Etcd.Keeper()
	if keeper == nil || keeper == m.i.Node || slices.ContainsFunc(m.c.Instances, runs) {
		return nil
	}
	return []resource.Ref{etcd.AccessRef(keeper.Addr, m.c.Etcd.Name)}
}

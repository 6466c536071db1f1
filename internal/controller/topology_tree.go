package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pigsty/internal/health"
	"pigsty/internal/model"
)

// topologist builds a tree from what nodes answered.
type topologist struct {
	clusters []*model.PgCluster
	answers  map[string]*health.Node
	lost     map[string]error
	places   map[*model.PgInstance]*Place
	parents  map[*model.PgInstance]*model.PgInstance
	problems []string
}

func buildTopology(clusters []*model.PgCluster, answers map[string]*health.Node, lost map[string]error) *Topology {
	t := &topologist{
		clusters: clusters, answers: answers, lost: lost,
		places: map[*model.PgInstance]*Place{}, parents: map[*model.PgInstance]*model.PgInstance{},
	}
	top := &Topology{}
	for _, c := range clusters {
		t.place(c)
		top.Clusters = append(top.Clusters, t.syncCluster(c))
	}
	for _, c := range clusters {
		for _, i := range c.Instances {
			t.follow(c, i)
		}
		t.judge(c)
	}
	top.Roots, top.Problems = t.plant(), t.problems
	return top
}

func (t *topologist) say(format string, args ...any) {
	t.problems = append(t.problems, fmt.Sprintf(format, args...))
}

// replication is what an instance's server says; nil when it could not be asked.
func (t *topologist) replication(i *model.PgInstance) *health.Replication {
	if answer := t.answers[i.Node.Addr]; answer != nil {
		return answer.Replication
	}
	return nil
}

// members are the cluster's in the eyes of the DCS, as the first that answers tells.
func (t *topologist) members(c *model.PgCluster) map[string]health.Member {
	byName := map[string]health.Member{}
	for _, i := range c.Instances {
		if answer := t.answers[i.Node.Addr]; answer != nil && answer.Members != nil {
			for _, m := range answer.Members {
				byName[m.Name] = m
			}
			break
		}
	}
	return byName
}

// place gives each member its own line.
func (t *topologist) place(c *model.PgCluster) {
	members := t.members(c)
	for _, i := range c.Instances {
		m := members[i.Name]
		p := &Place{Instance: i.Name, Cluster: c.Name, Addr: i.Node.Addr, Role: "unknown", Tags: m.Tags, Timeline: m.Timeline}
		t.places[i] = p
		if m.Role != "" {
			p.Role = patroniRole(m.Role)
		}
		r := t.replication(i)
		switch answer := t.answers[i.Node.Addr]; {
		case answer == nil:
			p.State = "unreachable"
			if err := t.lost[i.Node.Addr]; err != nil {
				p.Error = err.Error()
			}
		case r == nil:
			p.State, p.Error = cmp.Or(m.State, "down"), answer.ServerError
			if p.State == "running" || p.State == "streaming" {
				p.State = "down"
			}
		case r.Recovery:
			p.State = "not streaming"
			if r.Receiver != nil {
				p.State = r.Receiver.Status
			}
			p.Timeline, p.Delay, p.ReplayPaused = r.Timeline, r.Delay, r.ReplayPaused
			if p.Role = "replica"; m.Role == "standby_leader" {
				p.Role = "standby leader"
			}
		default:
			p.Role, p.State, p.Timeline = "primary", "running", r.Timeline
		}
	}
}

// patroniRole is the part that Patroni says a member has, without how it confirms writes.
func patroniRole(role string) string {
	switch role {
	case "primary":
		return role
	case "standby_leader":
		return "standby leader"
	}
	return "replica"
}

func (t *topologist) syncCluster(c *model.PgCluster) SyncCluster {
	s := SyncCluster{Name: c.Name, Mode: c.Synchronous().Mode, Shard: c.Param.PgShard, Index: c.Param.PgSindex}
	for _, i := range c.Instances {
		if r := t.replication(i); r != nil && !r.Recovery {
			s.Names = r.Synchronous
		}
	}
	if c.Upstream != nil {
		s.Source = strings.Join(c.Upstream.Hosts, ", ")
		if c.Upstream.Cluster != nil {
			s.Source = c.Upstream.Cluster.Name
		}
	}
	return s
}

// follow finds who feeds an instance: as it says itself, or else as the one that feeds it says.
func (t *topologist) follow(c *model.PgCluster, i *model.PgInstance) {
	p := t.places[i]
	if p.Role == "primary" {
		return
	}
	r := t.replication(i)
	var up *model.PgInstance
	switch {
	case r != nil && r.Receiver != nil:
		up = t.at(r.Receiver.Host, r.Receiver.Port)
		p.Upstream = fmt.Sprintf("%s:%d", r.Receiver.Host, r.Receiver.Port)
	case r == nil:
		up = t.feeder(i)
	}
	if up != nil && up != i {
		t.parents[i], p.Upstream = up, up.Name
		t.measure(i, up)
	}
	t.expect(c, i, up)
}

// at is the instance that serves an address, which may be a virtual one.
func (t *topologist) at(host string, port int) *model.PgInstance {
	for _, c := range t.clusters {
		for _, i := range c.Instances {
			answer := t.answers[i.Node.Addr]
			virtual := c.Param.VipMode != "none" && c.Param.VipAddress == host && answer != nil && answer.HasVIP
			if i.Param.PgPort == port && (i.Node.Addr == host || virtual) {
				return i
			}
		}
	}
	return nil
}

// feeder is the instance whose server says that it feeds this one.
func (t *topologist) feeder(i *model.PgInstance) *model.PgInstance {
	for _, c := range t.clusters {
		for _, up := range c.Instances {
			if up != i && t.sender(up, i) != nil {
				return up
			}
		}
	}
	return nil
}

// sender is how an instance's server sees another one that it feeds; nil when it does not.
func (t *topologist) sender(up, i *model.PgInstance) *health.Sender {
	r := t.replication(up)
	if r == nil {
		return nil
	}
	for n := range r.Senders {
		if s := &r.Senders[n]; s.Name == i.Name {
			return s
		}
	}
	return nil
}

// measure tells how far behind its upstream an instance is. The upstream's own figures are of one
// moment; without them, both sides' positions are compared.
func (t *topologist) measure(i, up *model.PgInstance) {
	p := t.places[i]
	if s := t.sender(up, i); s != nil {
		p.Behind, p.Sync = &s.Behind, s.SyncState
		if p.State != "unreachable" && s.State != "" {
			p.State = s.State
		}
		zero := 0.0
		if p.Lag = s.Lag; p.Lag == nil && s.Behind == 0 {
			p.Lag = &zero
		}
		return
	}
	if own, theirs := t.replication(i), t.replication(up); own != nil && theirs != nil {
		behind := max(theirs.Position-own.Replayed, 0)
		p.Behind, p.Lag = &behind, own.Age
	}
}

// expect compares who feeds an instance with who should.
func (t *topologist) expect(c *model.PgCluster, i, up *model.PgInstance) {
	p := t.places[i]
	switch wanted := i.Cascade(); {
	case p.State == "unreachable":
	case wanted != nil && wanted != up:
		p.Declared = wanted.Name
	case p.Role == "standby leader" && c.Upstream == nil:
	case p.Role == "standby leader" && c.Upstream.Cluster != nil:
		if up == nil || up.Cluster != c.Upstream.Cluster {
			p.Declared = c.Upstream.Cluster.Name
		}
	case p.Role == "standby leader":
		if host, _, _ := strings.Cut(p.Upstream, ":"); !slices.Contains(c.Upstream.Hosts, host) {
			p.Declared = strings.Join(c.Upstream.Hosts, ", ")
		}
	case wanted == nil:
		if leader := t.leader(c); leader != nil && leader != i && leader != up {
			p.Declared = leader.Name
		}
	}
}

// leader is whom a cluster's replicas follow unless they are told otherwise; nil when there is none.
func (t *topologist) leader(c *model.PgCluster) *model.PgInstance {
	for _, i := range c.Instances {
		if p := t.places[i]; (p.Role == "primary" || p.Role == "standby leader") && p.State != "unreachable" && p.State != "down" {
			return i
		}
	}
	return nil
}

// judge tells what is wrong with a cluster.
func (t *topologist) judge(c *model.PgCluster) {
	var primaries []string
	timeline := 0
	for _, i := range c.Instances {
		p := t.places[i]
		if p.Role == "primary" && p.State == "running" {
			primaries, timeline = append(primaries, i.Name), p.Timeline
		}
	}
	if len(primaries) > 1 {
		t.say("cluster %s has several servers that take writes: %s", c.Name, strings.Join(primaries, ", "))
	}
	if t.leader(c) == nil {
		t.say("cluster %s has no leader", c.Name)
	}
	for _, i := range c.Instances {
		p := t.places[i]
		switch {
		case p.Error != "":
			t.say("%s (%s) cannot be asked: %s", i.Name, p.Addr, p.Error)
		case p.State == "not streaming":
			t.say("%s follows nobody; it should follow %s", i.Name, cmp.Or(p.Declared, "nobody that is known"))
		case p.Declared != "" && i.Cascade() != nil:
			t.say("%s replicates from %s, and pg_upstream says %s", i.Name, cmp.Or(p.Upstream, "nobody"), p.Declared)
		case p.Declared != "":
			t.say("%s replicates from %s in place of %s", i.Name, cmp.Or(p.Upstream, "nobody"), p.Declared)
		}
		if timeline != 0 && p.Role == "replica" && p.Timeline != 0 && p.Timeline < timeline {
			t.say("%s is on timeline %d, its leader on %d", i.Name, p.Timeline, timeline)
		}
		if p.ReplayPaused {
			t.say("replay on %s is paused: pg_wal_replay_resume() ends that", i.Name)
		}
	}
}

// plant hangs every place below the one that feeds it, or else below the one that should. Of servers
// that feed each other in a circle the first is below nobody.
func (t *topologist) plant() []*Place {
	var roots []*Place
	for _, c := range t.clusters {
		for _, i := range c.Instances {
			up := t.parents[i]
			if up == nil && t.places[i].Upstream == "" && t.places[i].Role != "primary" {
				up = t.leader(c)
			}
			if up == nil || up == i || t.above(up, i) {
				delete(t.parents, i)
				roots = append(roots, t.places[i])
				continue
			}
			t.parents[i] = up
			t.places[up].Followers = append(t.places[up].Followers, t.places[i])
		}
	}
	slices.SortStableFunc(roots, func(a, b *Place) int { return cmp.Compare(rank(a), rank(b)) })
	return roots
}

// above tells whether one instance is fed by another, however indirectly.
func (t *topologist) above(i, other *model.PgInstance) bool {
	for range t.places {
		if i = t.parents[i]; i == nil {
			return false
		}
		if i == other {
			return true
		}
	}
	return true
}

// rank puts those that take writes first.
func rank(p *Place) int {
	if p.Role == "primary" {
		return 0
	}
	return 1
}

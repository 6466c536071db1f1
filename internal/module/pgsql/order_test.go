package pgsql_test

import (
	"slices"
	"strings"
	"testing"

	"pigsty/internal/engine"
	"pigsty/internal/fact"
	"pigsty/internal/golden"
	"pigsty/internal/module/pgsql"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// after lists the nodes that a step waits for, by the step's ID.
func after(steps []resource.Step, node, id string) []string {
	var nodes []string
	for _, s := range steps {
		if s.Node != node || resource.ID(s.Resource) != id {
			continue
		}
		for _, r := range s.After {
			if strings.HasPrefix(r.ID, "pg_ready:") {
				nodes = append(nodes, r.Node)
			}
		}
	}
	return nodes
}

func TestOrder(t *testing.T) {
	const first, second, third = "10.10.10.11", "10.10.10.12", "10.10.10.13"
	member := func(role string) *fact.Patroni { return &fact.Patroni{Role: role, State: "running"} }
	for _, c := range []struct {
		title string
		facts map[string]*fact.Patroni // of members with data; nil when Patroni does not answer
		want  map[string][]string
	}{
		{
			"new: the declared primary, then all replicas", nil,
			map[string][]string{first: nil, second: {first}, third: {first}},
		},
		{
			"running: one after the other, the leader last",
			map[string]*fact.Patroni{first: member("replica"), second: member("primary"), third: member("replica")},
			map[string][]string{first: nil, third: {first}, second: {third}},
		},
		{
			"running, one member new: it copies from the leader and nobody waits for it",
			map[string]*fact.Patroni{first: member("replica"), second: member("master")},
			map[string][]string{first: nil, second: {first}, third: {second}},
		},
		{
			"after a power cut: all at once",
			map[string]*fact.Patroni{first: nil, second: nil, third: nil},
			map[string][]string{first: nil, second: nil, third: nil},
		},
	} {
		d := deployment(t, "trio")
		for addr, p := range c.facts {
			n := d.Node(addr)
			n.Facts.PgData, n.Facts.Patroni = true, p
		}
		steps := pgsql.Compile(d)
		for node, want := range c.want {
			if got := after(steps, node, "unit:patroni.service"); !slices.Equal(got, want) {
				t.Errorf("%s: %s waits for %v, not %v", c.title, node, got, want)
			}
		}
		if _, err := engine.NewGraph(append(others(d), steps...)); err != nil {
			t.Errorf("%s: %v", c.title, err)
		}
	}
}

// When all members stop for good, the leader does so last: nobody is promoted meanwhile.
func TestLeaderStopsLast(t *testing.T) {
	const first, second = "10.10.10.12", "10.10.10.13"
	d := deployment(t, "off")
	for addr, role := range map[string]string{first: "replica", second: "primary"} {
		n := d.Node(addr)
		n.Facts.PgData, n.Facts.Patroni = true, &fact.Patroni{Role: role, State: "running"}
	}
	for _, s := range pgsql.Compile(d) {
		u, ok := s.Resource.(*resource.Unit)
		if !ok || u.Unit != "patroni.service" || s.Node != first && s.Node != second {
			continue
		}
		want := []resource.Ref(nil)
		if s.Node == second {
			want = []resource.Ref{{Node: first, ID: "unit:patroni.service"}}
		}
		if !u.Stopped || !u.Disabled || !slices.Equal(s.After, want) {
			t.Errorf("%s: %+v after %v", s.Node, u, s.After)
		}
	}
}

// A member that cannot be asked must not change what others get.
func TestUnknownMemberChangesNoFileOfOthers(t *testing.T) {
	d := deployment(t, "trio")
	text := func() string {
		var kept []resource.Step
		for _, s := range pgsql.Compile(d) {
			if _, config := s.Resource.(*postgres.PatroniConfig); s.Node != "10.10.10.13" && !config {
				s.After = nil
				kept = append(kept, s)
			}
		}
		return golden.Steps(kept)
	}
	before := text()
	n := d.Node("10.10.10.13")
	n.Known, n.Facts = false, fact.Node{}
	if text() != before {
		t.Error("files of other members changed")
	}
}

// What is dropped goes in order: nobody uses it anywhere, it is dropped, pools forget it. And pools
// ask only once there is somebody to answer.
func TestPoolsFollowTheServer(t *testing.T) {
	const leader, replica = "10.10.10.11", "10.10.10.12"
	steps := pgsql.Compile(deployment(t, "asks"))
	waits := func(node, id string) (refs []string) {
		for _, s := range steps {
			if s.Node == node && resource.ID(s.Resource) == id {
				for _, r := range s.After {
					refs = append(refs, r.Node+" "+r.ID)
				}
			}
		}
		return refs
	}
	for _, c := range []struct {
		node, id string
		want     []string
	}{
		{leader, "pg_role:gone", []string{replica + " pg_unused:role gone"}},
		{leader, "pg_role:app", nil},
		{leader, "pg_database:old", []string{replica + " pg_unused:database old"}},
		{replica, "file:/etc/pgbouncer/database.txt", []string{leader + " pg_database:old"}},
		{leader, "file:/etc/pgbouncer/database.txt", []string{leader + " pg_database:old"}},
		{replica, "file:/etc/pgbouncer/userlist.txt", []string{leader + " pg_role:gone", leader + " pg_pool_auth:dbuser_pgbouncer"}},
		{replica, "directory:/etc/pgbouncer", []string{leader + " pg_pool_auth:dbuser_pgbouncer"}},
	} {
		if got := waits(c.node, c.id); !slices.Equal(got, c.want) {
			t.Errorf("%s on %s waits for %q, not %q", c.id, c.node, got, c.want)
		}
	}
}

package view

import (
	"bytes"
	"testing"

	"pigsty/internal/controller"
	"pigsty/internal/election"
	"pigsty/internal/golden"
)

func TestTopology(t *testing.T) {
	bytesBehind := func(n int64) *int64 { return &n }
	lag := func(s float64) *float64 { return &s }
	place := func(name, addr, role, state string, followers ...*controller.Place) *controller.Place {
		return &controller.Place{
			Instance: name, Cluster: name[:2], Addr: addr, Role: role, State: state, Timeline: 3,
			Tags: map[string]any{"clonefrom": true}, Followers: followers,
		}
	}
	late := place("pg-4", "10.0.0.4", "replica", "streaming")
	late.Behind, late.Lag, late.Delay, late.ReplayPaused = bytesBehind(3<<20), lag(5400), 5400000, true
	late.Tags = map[string]any{"nofailover": true, "nosync": true}
	cascade := place("pg-3", "10.0.0.3", "replica", "streaming")
	cascade.Behind, cascade.Lag, cascade.Declared = bytesBehind(0), lag(0), "pg-9"
	quorum := place("pg-2", "10.0.0.2", "replica", "streaming", cascade)
	quorum.Behind, quorum.Lag, quorum.Sync = bytesBehind(2048), lag(0.04), "quorum"
	lost := place("dr-2", "10.0.0.6", "replica", "unreachable")
	lost.Timeline = 0
	standby := place("dr-1", "10.0.0.5", "standby leader", "streaming", lost)
	standby.Behind = bytesBehind(0)
	away := place("aw-1", "10.0.0.7", "standby leader", "streaming")
	away.Upstream = "192.0.2.7:5432"
	top := &controller.Topology{
		Roots: []*controller.Place{place("pg-1", "10.0.0.1", "primary", "running", quorum, late, standby), away},
		Clusters: []controller.SyncCluster{
			{Name: "pg", Mode: "quorum", Names: `ANY 1 ("pg-2")`},
			{Name: "dr", Mode: "async", Source: "pg"},
			{Name: "aw", Mode: "sync"},
		},
		Problems: []string{"dr-2 (10.0.0.6) cannot be asked: no route to host"},
	}
	var b bytes.Buffer
	Topology(&b, top, false)
	golden.Compare(t, "testdata/topology.txt", b.String())
}

func TestElections(t *testing.T) {
	behind := int64(3 << 20)
	reports := []election.Report{
		{
			Cluster: "pg", Leader: "pg-1", Winners: []string{"pg-2"},
			Outcome: "If pg-1 went now, pg-2 would become the leader: it has the most WAL.",
			Loss:    "No acknowledged write would be lost: replicas confirm them.",
			Soon:    "Writers would wait 16 to 26 s.", Store: "If etcd went, the leader would stay.",
			Members: []election.Verdict{
				{Instance: "pg-1", Verdict: election.Leads},
				{Instance: "pg-2", Verdict: election.Wins},
				{Instance: "pg-3", Verdict: election.Loses, Reasons: []election.Reason{{Code: election.OtherAhead, Text: "pg-2 has 1 MiB of WAL more"}}},
				{Instance: "pg-10", Verdict: election.Refused, Behind: &behind, Reasons: []election.Reason{
					{Code: election.NoFailover, Text: "its tag nofailover keeps it from leading"},
					{Code: election.TooFarBehind, Text: "it lacks 3 MiB of the leader's WAL, and maximum_lag_on_failover is 1 MiB"},
				}},
				{Instance: "pg-11", Verdict: election.Unknown, Reasons: []election.Reason{{Code: election.NodeLost, Text: "its node cannot be asked"}}},
			},
		},
		{Cluster: "lone", Leader: "lone-1", Outcome: "If lone-1 went now, nobody would take over: writes wait until it is back.", Store: "If etcd went, the leader would stay.", Members: []election.Verdict{{Instance: "lone-1", Verdict: election.Leads}}},
	}
	var b bytes.Buffer
	Elections(&b, reports, false)
	golden.Compare(t, "testdata/elections.txt", b.String())
}

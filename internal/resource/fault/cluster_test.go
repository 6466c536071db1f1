package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// cluster answers as the Patroni of a healthy cluster does, in which a leads.
type cluster struct {
	paused  bool
	sync    bool
	replica string // what b and c say they do
	server  *httptest.Server
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{replica: "streaming"}
	c.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any
		switch name, asked, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); {
		case name == "cluster":
			answer = c.view()
		case asked == "patroni" && name == "a":
			answer = map[string]any{"state": "running", "role": "primary"}
		case asked == "patroni":
			answer = map[string]any{"state": "running", "role": "replica", "replication_state": c.replica}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(c.server.Close)
	return c
}

func (c *cluster) view() map[string]any {
	var members []any
	for _, name := range []string{"a", "b", "c"} {
		m := map[string]any{"name": name, "role": "replica", "state": "streaming", "lag": 0, "api_url": c.server.URL + "/" + name + "/patroni"}
		switch {
		case name == "a":
			m["role"] = "leader"
		case name == "b" && c.sync:
			m["role"] = "sync_standby"
		}
		members = append(members, m)
	}
	return map[string]any{"members": members, "pause": c.paused}
}

func (c *cluster) leader() Leader {
	return Leader{Cluster: "pg-test", Instance: "a", API: postgres.PatroniAPI{URL: c.server.URL}}
}

// manager is systemd: it knows which units run, and what it was told.
type manager struct {
	resource.Systemd
	running []string
	told    []string
	broken  error
}

func (m *manager) State(_ context.Context, unit string) (resource.UnitState, error) {
	if slices.Contains(m.running, unit) {
		return resource.UnitState{Active: "active"}, nil
	}
	return resource.UnitState{Active: "inactive"}, nil
}

func (m *manager) Start(_ context.Context, unit string) error {
	m.told = append(m.told, "start "+unit)
	return m.broken
}

func (m *manager) Stop(_ context.Context, unit string) error {
	m.told = append(m.told, "stop "+unit)
	return m.broken
}

// commands remembers what was run, and fails what begins with the word.
type commands struct {
	run   []resource.Command
	fails string
}

func (c *commands) Run(_ context.Context, command resource.Command) ([]byte, error) {
	c.run = append(c.run, command)
	if c.fails != "" && strings.HasPrefix(strings.Join(command.Argv, " "), c.fails) {
		return nil, errors.New(c.fails + " failed")
	}
	return nil, nil
}

func (c *commands) lines() []string {
	var lines []string
	for _, command := range c.run {
		lines = append(lines, strings.Join(command.Argv, " "))
	}
	return lines
}

func newHost(t *testing.T) (*resource.Host, *manager, *commands) {
	m, c := &manager{}, &commands{}
	return &resource.Host{Root: t.TempDir(), Systemd: m, Exec: c}, m, c
}

// says fails the test unless the error holds the text.
func says(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one that says %q", err, want)
	}
}

// Each fault of the leader refuses a cluster that would not survive it.
func TestOnlyHealthyClustersAreBroken(t *testing.T) {
	for want, prepare := range map[string]func(*cluster, *Leader){
		"cluster pg-test is paused":                       func(c *cluster, _ *Leader) { c.paused = true },
		"b does not stream from another member":           func(c *cluster, _ *Leader) { c.replica = "in archive recovery" },
		"a leads cluster pg-test by now, and not b":       func(_ *cluster, l *Leader) { l.Instance = "b" },
		"a drill is for a healthy cluster: ask Patroni f": func(c *cluster, _ *Leader) { c.server.Close() },
	} {
		c := newCluster(t)
		l := c.leader()
		prepare(c, &l)
		h, _, _ := newHost(t)
		h.Container = false
		for _, r := range []resource.Resource{
			&Healthy{Leader: l},
			&Kill{Leader: l, Fault: KillPatroni},
			&PowerLoss{Leader: l},
			&Standstill{Leader: l},
			&Cut{Leader: l},
			&FillDisk{Leader: l},
		} {
			change, err := r.Diff(t.Context(), h)
			if change != nil {
				t.Errorf("%s: %s changes %+v", want, r.Kind(), change)
			}
			says(t, err, want)
		}
	}
}

// What a lost leader costs follows from how its cluster replicates.
func TestAsynchronousReplicationMayLose(t *testing.T) {
	for sync, want := range map[bool]resource.Impact{true: resource.Switchover, false: resource.DataLoss} {
		c := newCluster(t)
		c.sync = sync
		h, _, _ := newHost(t)
		change, err := (&Standstill{Leader: c.leader(), Lasts: 1}).Diff(t.Context(), h)
		if err != nil || change.Impact != want {
			t.Errorf("synchronous %v: %+v, %v", sync, change, err)
		}
		if lost := strings.Contains(fmt.Sprint(change), "are lost"); lost == sync {
			t.Errorf("synchronous %v: %+v", sync, change)
		}
	}
}

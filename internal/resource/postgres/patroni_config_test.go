package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pigsty/internal/resource"
)

// dialBoth reaches Unix sockets by the given function and the network as it is.
func dialBoth(unix func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if network == "unix" {
			return unix(ctx, network, addr)
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
}

func readForTest(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func parametersForTest(p map[string]any) map[string]any {
	return map[string]any{"postgresql": map[string]any{"parameters": p}}
}

func TestConfigIsPatchedAndSettles(t *testing.T) {
	cluster := newPatroniCluster(t, "a", "b")
	h := hostOf(t, cluster, leaderRuns("100"))
	c := &PatroniConfig{Cluster: "pg-test", API: cluster.api(), Desired: parametersForTest(map[string]any{"max_connections": 50.0, "work_mem": nil})}
	restart := &PatroniRestart{Cluster: "pg-test", API: cluster.api()}

	change, err := c.Diff(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := &resource.Change{
		Action: resource.Update, Impact: resource.Restart, Effect: "PostgreSQL restarts on every member, the primary first, for max_connections",
		Fields: []resource.Field{
			{Name: "postgresql.parameters.max_connections", Before: "100", After: "50"}, {Name: "postgresql.parameters.work_mem", Before: "4MB"},
		},
	}
	if d := cmp.Diff(want, change); d != "" {
		t.Error(d)
	}
	planned, err := restart.Diff(t.Context(), h)
	if err != nil || planned == nil || planned.Effect != "one at a time: the primary a, b" {
		t.Errorf("the plan does not tell of the restart: %+v, %v", planned, err)
	}
	if err := c.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"config a"}, cluster.ordered()); d != "" {
		t.Error(d)
	}
	if notes := h.TakeNotes(); len(notes) > 0 {
		t.Errorf("notes %q", notes)
	}
	if again, err := c.Diff(t.Context(), h); again != nil || err != nil {
		t.Errorf("again: %+v, %v", again, err)
	}
}

func TestConfigReloadOnly(t *testing.T) {
	cluster := newPatroniCluster(t, "a", "b")
	h := hostOf(t, cluster, leaderRuns("100"))
	c := &PatroniConfig{Cluster: "pg-test", API: cluster.api(), Desired: map[string]any{"ttl": 20.0}}
	change, err := c.Diff(t.Context(), h)
	if err != nil || change.Impact != resource.Reload || change.Effect != "" {
		t.Fatalf("%+v, %v", change, err)
	}
	if err := c.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if planned, err := (&PatroniRestart{Cluster: "pg-test", API: cluster.api()}).Diff(t.Context(), h); planned != nil || err != nil {
		t.Errorf("%+v, %v", planned, err)
	}
}

// What a person sets waits for a restart that the person orders.
func TestConfigByHandRestartsNobody(t *testing.T) {
	cluster := newPatroniCluster(t, "a", "b")
	h := hostOf(t, cluster, leaderRuns("100"))
	c := &PatroniConfig{
		Cluster: "pg-test", API: cluster.api(), ByHand: true, Desired: map[string]any{"postgresql": map[string]any{"parameters": map[string]any{"max_connections": 200.0}}},
	}
	change, err := c.Diff(t.Context(), h)
	if err != nil || change.Impact != resource.Reload || change.Effect != "max_connections from the next restart on: pigsty pg restart pg-test --pending" {
		t.Fatalf("%+v, %v", change, err)
	}
	if notes := h.TakeNotes(); len(notes) != 1 || !strings.Contains(notes[0], "the next apply sets") {
		t.Errorf("notes %q", notes)
	}
	if planned, err := (&PatroniRestart{Cluster: "pg-test", API: cluster.api()}).Diff(t.Context(), h); planned != nil || err != nil {
		t.Errorf("a restart is expected: %+v, %v", planned, err)
	}
}

// Patroni answers 502 for as long as its view of etcd lags behind the founding of the cluster.
func TestConfigIsWaitedForAfterFounding(t *testing.T) {
	cluster := newPatroniCluster(t, "a")
	cluster.unread = 2
	c := &PatroniConfig{Cluster: "pg-test", API: cluster.api(), Desired: map[string]any{"ttl": 30.0}}
	if change, err := c.Diff(t.Context(), hostOf(t, cluster, leaderRuns("100"))); change != nil || err != nil || cluster.unread != 0 {
		t.Errorf("%+v, %v, %d answers to go", change, err, cluster.unread)
	}
}

func TestUnreachableMemberIsNoted(t *testing.T) {
	cluster := newPatroniCluster(t, "a", "b")
	cluster.dead = "b"
	h := hostOf(t, cluster, leaderRuns("100"))
	c := &PatroniConfig{Cluster: "pg-test", API: cluster.api(), Desired: parametersForTest(map[string]any{"max_connections": 50.0})}
	if err := c.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if notes := h.TakeNotes(); len(notes) != 1 || !strings.HasPrefix(notes[0], "b has not taken its new settings yet") {
		t.Errorf("notes %q", notes)
	}
}

func TestPausedClusterIsLeftPaused(t *testing.T) {
	cluster := newPatroniCluster(t, "a")
	h := hostOf(t, cluster, leaderRuns("100"))
	pause := &PatroniConfig{Cluster: "pg-test", Part: "pause", API: cluster.api(), Desired: map[string]any{"pause": true}, Paused: true}
	if pause.Name() != "pg-test/pause" {
		t.Errorf("its name is %s", pause.Name())
	}
	if err := pause.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	for wanted, notes := range map[bool]int{true: 0, false: 1} {
		c := &PatroniConfig{Cluster: "pg-test", API: cluster.api(), Desired: map[string]any{"ttl": 30.0}, Paused: wanted}
		change, err := c.Diff(t.Context(), h)
		if got := h.TakeNotes(); change != nil || err != nil || len(got) != notes {
			t.Errorf("paused as wanted: %v: %+v, %v, notes %q", wanted, change, err, got)
		}
	}
	if change, err := pause.Diff(t.Context(), h); change != nil || err != nil {
		t.Errorf("again: %+v, %v", change, err)
	}
}

func TestConfigErrors(t *testing.T) {
	cluster := newPatroniCluster(t, "a")
	h := hostOf(t, cluster, leaderRuns("100"))
	wrong := cluster.api()
	wrong.Password = "guess"
	err := (&PatroniConfig{Cluster: "pg-test", API: wrong, Desired: map[string]any{"ttl": 20.0}}).Apply(t.Context(), h)
	var told *PatroniError
	if !errors.As(err, &told) || told.Status != 401 || !strings.Contains(err.Error(), "patroni_password") || strings.Contains(err.Error(), "guess") {
		t.Error(err)
	}
	missing := cluster.api()
	missing.CA = "/etc/not/yet.crt"
	change, err := (&PatroniConfig{Cluster: "pg-test", API: missing, Desired: map[string]any{"ttl": 20.0}}).Diff(t.Context(), h)
	if err != nil || change == nil || change.Action != resource.Create {
		t.Errorf("%+v, %v", change, err)
	}
	stranger := newPatroniCluster(t, "b").api()
	stranger.CA = ""
	if _, err := (&PatroniConfig{API: stranger, Desired: map[string]any{"ttl": 20.0}}).Diff(t.Context(), h); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority passes: %v", err)
	}
}

func TestPatchMakesTheConfig(t *testing.T) {
	leaf := rapid.SampledFrom([]any{nil, 1.0, 1e6, "on", "64MB", true, []any{"a", 1.0}})
	tree := rapid.Custom(func(t *rapid.T) map[string]any {
		below := rapid.MapOf(rapid.SampledFrom([]string{"a", "b"}), leaf)
		m := map[string]any{}
		for _, key := range []string{"ttl", "tags", "postgresql"} {
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 1:
				m[key] = leaf.Draw(t, "leaf")
			case 2:
				m[key] = below.Draw(t, "below")
			case 3:
				m[key] = map[string]any{"parameters": below.Draw(t, "parameters")}
			}
		}
		return m
	})
	rapid.Check(t, func(t *rapid.T) {
		have, want := overTheWire(t, withoutNull(tree.Draw(t, "have"))), tree.Draw(t, "want")
		_, patch := diffConfig(want, have)
		mergeConfig(have, overTheWire(t, patch))
		if again, _ := diffConfig(want, have); len(again) > 0 {
			t.Fatalf("differs after its own patch: %v", again)
		}
	})
}

// overTheWire is what JSON makes of a configuration.
func overTheWire(t *rapid.T, m map[string]any) map[string]any {
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// withoutNull drops keys without a value, which Patroni never keeps.
func withoutNull(m map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range m {
		if below, ok := value.(map[string]any); ok {
			value = withoutNull(below)
		}
		if value != nil {
			out[key] = value
		}
	}
	return out
}

func TestConfigValuesCompare(t *testing.T) {
	for _, c := range []struct {
		path string
		a, b any
		same bool
	}{
		{"", 30.0, json.Number("30"), true},
		{"", "30", json.Number("30"), true},
		{"", 1048576.0, json.Number("1048576"), true},
		{"", true, "on", false},
		{parameterPath, true, "on", true},
		{parameterPath, "off", "false", true},
		{parameterPath, "off", "on", false},
		{parameterPath, "1GB", "1024MB", false},
		{"", nil, "", false},
	} {
		if got := sameConfig(c.path, c.a, c.b); got != c.same {
			t.Errorf("%s %v and %v: %v", c.path, c.a, c.b, got)
		}
	}
}

func TestOnlyLowered(t *testing.T) {
	for name, c := range map[string]struct {
		fields []resource.Field
		want   bool
	}{
		"lowered":            {[]resource.Field{{Name: "max_connections", Before: "100", After: "50"}}, true},
		"raised":             {[]resource.Field{{Name: "max_connections", Before: "50", After: "100"}}, false},
		"mixed":              {[]resource.Field{{Name: "max_connections", Before: "100", After: "50"}, {Name: "max_wal_senders", Before: "10", After: "20"}}, false},
		"another":            {[]resource.Field{{Name: "shared_buffers", Before: "2GB", After: "1GB"}}, false},
		"back to default":    {[]resource.Field{{Name: "max_connections", Before: "500"}}, true},
		"up from default":    {[]resource.Field{{Name: "max_worker_processes", After: "64"}}, false},
		"with one unrelated": {[]resource.Field{{Name: "max_connections", Before: "100", After: "50"}, {Name: "work_mem", Before: "1", After: "2"}}, true},
	} {
		if got := onlyLowered(c.fields); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestLagIsANumberOrUnknown(t *testing.T) {
	for text, want := range map[string]PatroniLag{`16777216`: 16777216, `"unknown"`: UnknownLag, `0`: 0} {
		var l PatroniLag
		if err := json.Unmarshal([]byte(text), &l); err != nil || l != want {
			t.Errorf("%s: %d, %v", text, l, err)
		}
	}
}

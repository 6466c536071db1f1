package postgres

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"pigsty/internal/resource"
)

// Replicas stream and none is synchronous: that is waited for. A leader that is alone, or whose only
// replica may not be chosen, waits for nobody.
func TestSynchronous(t *testing.T) {
	const title = "no replica of cluster pg-test has become synchronous"
	for name, c := range map[string]struct {
		members, choice []string
		synchronous     bool
		waits           bool
	}{
		"alone":                   {[]string{"a"}, []string{"b"}, false, false},
		"none is synchronous":     {[]string{"a", "b", "c"}, []string{"b", "c"}, false, true},
		"one is synchronous":      {[]string{"a", "b", "c"}, []string{"b", "c"}, true, false},
		"none that may be chosen": {[]string{"a", "b"}, []string{"c"}, false, false},
	} {
		cluster := newPatroniCluster(t, c.members...)
		cluster.members[len(cluster.members)-1].sync = c.synchronous
		y := &Synchronous{Cluster: "pg-test", API: cluster.api(), Members: c.choice, Timeout: time.Millisecond}
		h := &resource.Host{}
		change, err := y.Diff(t.Context(), h)
		if err != nil || (change != nil) != c.waits {
			t.Errorf("%s: %+v, %v", name, change, err)
		}
		err = y.Apply(t.Context(), h)
		if c.waits != (err != nil) || err != nil && !strings.Contains(err.Error(), title) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSynchronousIsToComeWhereNothingRuns(t *testing.T) {
	y := &Synchronous{Cluster: "pg-test", API: PatroniAPI{URL: "https://127.0.0.1:1", CA: "/nowhere"}, Members: []string{"b"}}
	if c, err := y.Diff(t.Context(), &resource.Host{Root: t.TempDir()}); c == nil || err != nil {
		t.Errorf("%+v, %v", c, err)
	}
}

// A replica that the leader feeds already, and Patroni still calls a new one, is waited for.
func TestSynchronousAsksTheServer(t *testing.T) {
	for fed, waits := range map[string]bool{"t": true, "f": false} {
		cluster := newPatroniCluster(t, "a", "b")
		cluster.members[1].copying = 100
		server := &fakeServer{rows: map[string][]string{"pg_stat_replication": {fed}}}
		// Root is a user of every machine.
		y := &Synchronous{Cluster: "pg-test", API: cluster.api(), Members: []string{"b"}, Conn: Conn{User: "root"}, Timeout: time.Millisecond}
		socket := server.host(t).Dial
		h := &resource.Host{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if network == "unix" {
				return socket(ctx, network, address)
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}}
		if change, err := y.Diff(t.Context(), h); err != nil || (change != nil) != waits {
			t.Errorf("fed %s: %+v, %v", fed, change, err)
		}
	}
}

package fault

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/resource"
)

// etcdHost has a member of etcd that answers with these texts.
func etcdHost(t *testing.T, health, metrics string) (*resource.Host, *manager, *commands) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			fmt.Fprint(w, health)
		} else {
			fmt.Fprint(w, metrics)
		}
	}))
	t.Cleanup(server.Close)
	h, systemd, commands := newHost(t)
	h.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	return h, systemd, commands
}

const peers = `etcd_network_active_peers{Local="1",Remote="2"} 1
etcd_network_active_peers{Local="1",Remote="3"} 1
`

func TestEtcdLeader(t *testing.T) {
	for name, c := range map[string]struct {
		metrics string
		stops   bool
	}{
		"the leader":                      {peers + "etcd_server_is_leader 1\n", true},
		"a follower":                      {peers + "etcd_server_is_leader 0\n", false},
		"leads since the leader has gone": {"etcd_network_active_peers{Local=\"1\",Remote=\"3\"} 0\netcd_server_is_leader 1\n", false},
	} {
		h, _, _ := etcdHost(t, "", c.metrics)
		s := &EtcdStop{EtcdMember: EtcdMember{Member: "etcd-1", Metrics: 2381}, Fault: EtcdLeader, Unit: "etcd.service", Lasts: time.Minute}
		if change, err := s.Diff(t.Context(), h); err != nil || (change != nil) != c.stops {
			t.Errorf("%s: %+v, %v", name, change, err)
		}
	}
}

func TestEtcdStop(t *testing.T) {
	h, systemd, commands := newHost(t)
	s := &EtcdStop{EtcdMember: EtcdMember{Member: "etcd-1"}, Fault: EtcdQuorum, Unit: "etcd.service", Lasts: time.Minute}
	if change, err := s.Diff(t.Context(), h); err != nil || change.Impact != resource.Switchover {
		t.Errorf("%+v, %v", change, err)
	}
	if err := s.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	lines := commands.lines()
	if len(lines) != 2 || lines[1] != "systemctl kill --kill-whom=all --signal=SIGKILL etcd.service" {
		t.Errorf("ran %q", lines)
	}
	if diff := cmp.Diff([]string{"stop etcd.service"}, systemd.told); diff != "" {
		t.Errorf("systemd (-want +got):\n%s", diff)
	}
}

func TestEtcdHealthy(t *testing.T) {
	m := &EtcdHealthy{EtcdMember{Member: "etcd-1", Metrics: 2381}}
	h, _, _ := etcdHost(t, `{"health":"true","reason":""}`, "")
	if change, err := m.Diff(t.Context(), h); change != nil || err != nil {
		t.Errorf("%+v, %v", change, err)
	}
	h, _, _ = etcdHost(t, `{"health":"false","reason":"RAFT NO LEADER"}`, "")
	_, err := m.Diff(t.Context(), h)
	says(t, err, "a drill is for a healthy etcd: etcd-1 of etcd is not healthy: RAFT NO LEADER")
	h.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, fmt.Errorf("connection refused") }
	_, err = m.Diff(t.Context(), h)
	says(t, err, "connection refused")
}

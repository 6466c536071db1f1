package fault

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*EtcdHealthy)(nil)
	_ resource.Resource = (*EtcdStop)(nil)
	_                   = resource.Register(func() resource.Resource { return &EtcdHealthy{} })
	_                   = resource.Register(func() resource.Resource { return &EtcdStop{} })
)

// etcdPatience is how long a member may take to answer on its own machine. One without a quorum
// answers that it is not healthy after its own five seconds.
const etcdPatience = 8 * time.Second

// EtcdMember is a member of etcd on its node.
type EtcdMember struct {
	Member  string `json:"member"`
	Metrics int    `json:"metrics"` // port of health and metrics on the loopback address
}

func (m EtcdMember) get(ctx context.Context, h *resource.Host, path string) (string, error) {
	url := fmt.Sprintf("http://%s%s", net.JoinHostPort("127.0.0.1", fmt.Sprint(m.Metrics)), path)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Timeout: etcdPatience, Transport: &http.Transport{DialContext: h.Dial, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return "", fmt.Errorf("ask %s of etcd: %w", m.Member, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 8<<20))
	return string(body), err
}

// healthy is an error unless the member serves, which needs a leader and so a quorum.
func (m EtcdMember) healthy(ctx context.Context, h *resource.Host) error {
	text, err := m.get(ctx, h, "/health")
	if err != nil {
		return err
	}
	var answer struct{ Health, Reason string }
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return fmt.Errorf("%s of etcd answers %q: %w", m.Member, text, err)
	}
	if answer.Health != "true" {
		return fmt.Errorf("%s of etcd is not healthy: %s", m.Member, answer.Reason)
	}
	return nil
}

// leads tells whether the member leads and has all its peers.
func (m EtcdMember) leads(ctx context.Context, h *resource.Host) (bool, error) {
	text, err := m.get(ctx, h, "/metrics")
	if err != nil {
		return false, err
	}
	leads := false
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		switch line := lines.Text(); {
		case line == "etcd_server_is_leader 1":
			leads = true
		case strings.HasPrefix(line, "etcd_network_active_peers{") && strings.HasSuffix(line, "} 0"):
			return false, nil
		}
	}
	return leads, nil
}

// EtcdHealthy is a member of etcd that serves. It only looks: another one is an error. List it
// before faults of etcd, on every member's node.
type EtcdHealthy struct {
	EtcdMember
}

func (m *EtcdHealthy) Kind() string { return "fault_etcd_healthy" }
func (m *EtcdHealthy) Name() string { return m.Member }

func (m *EtcdHealthy) look(ctx context.Context, h *resource.Host) error {
	if err := m.healthy(ctx, h); err != nil {
		return fmt.Errorf("a drill is for a healthy etcd: %w", err)
	}
	return nil
}

// Diff is an error when the member does not serve, and never a change.
func (m *EtcdHealthy) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	return nil, m.look(ctx, h)
}

// Apply looks again.
func (m *EtcdHealthy) Apply(ctx context.Context, h *resource.Host) error { return m.look(ctx, h) }

// EtcdStop kills a member of etcd and keeps it down for a while. It is an order and no state.
type EtcdStop struct {
	EtcdMember
	Fault string `json:"fault"` // EtcdLeader: only if the member leads; EtcdQuorum
	Unit  string `json:"unit"`
	// Lasts is how long the member stays away.
	Lasts time.Duration `json:"lasts"`
}

func (s *EtcdStop) Kind() string { return "fault_etcd_stop" }
func (s *EtcdStop) Name() string { return s.Member }

// Diff is nothing on a member that does not lead, for EtcdLeader; also on one that leads since
// another was stopped.
func (s *EtcdStop) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	c := &resource.Change{Action: resource.Run, Effect: "etcd elects another leader within two seconds or so; until then Patroni waits"}
	if s.Fault == EtcdQuorum {
		c.Impact, c.Effect = resource.Switchover, "the leader stays while all members answer it, and nobody can take over"
	} else if leads, err := s.leads(ctx, h); err != nil || !leads {
		return nil, err
	}
	c.Add(s.Member+" of etcd", "runs", "killed, and down for "+s.Lasts.String())
	return c, nil
}

// Apply returns when the member is gone. It is killed first: one that is told to stop hands its
// leadership over.
func (s *EtcdStop) Apply(ctx context.Context, h *resource.Host) error {
	start := ending{argv: []string{"systemctl", "start", s.Unit}}
	return inject(ctx, h, s.Fault, s.Lasts, start, func() error {
		_, err := h.Exec.Run(ctx, resource.Command{Argv: []string{"systemctl", "kill", "--kill-whom=all", "--signal=SIGKILL", s.Unit}})
		// What systemd may have started again meanwhile is stopped all the same.
		return errors.Join(err, h.Systemd.Stop(ctx, s.Unit))
	})
}

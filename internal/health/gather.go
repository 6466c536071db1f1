package health

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"pigsty/internal/patroni"
)

// patience is how long one question to a local service may take.
const patience = time.Second

// States tells a unit's active state; a service manager.
type States interface {
	ActiveState(ctx context.Context, unit string) (string, error)
}

// Gather looks at the node. What cannot be seen is left out of the answer: a service that does
// not answer is not an error here, but what the status is about.
func Gather(ctx context.Context, q Query, units States, databases Databases) Node {
	n := Node{Units: map[string]string{}}
	for _, unit := range append(slices.Clone(q.Units), there(q.Optional)...) {
		state, err := units.ActiveState(ctx, unit)
		if err != nil {
			state = "unknown"
		}
		n.Units[unit] = state
	}
	n.system(q.DataDir)
	n.HasVIP = hasAddress(q.VIP)
	var group sync.WaitGroup
	if q.EtcdMetrics != "" {
		group.Go(func() { n.Etcd = askEtcd(ctx, q.EtcdMetrics) })
	}
	if q.PatroniPort != 0 {
		api := patroni.NewLocal(q.PatroniPort, patience)
		group.Go(func() { n.Members, n.Paused = askCluster(ctx, api) })
		group.Go(func() { n.Own = askInstance(ctx, api) })
		if q.Config {
			group.Go(func() { n.Config = askConfig(ctx, api) })
		}
	}
	if q.Server != nil {
		group.Go(func() { n.Replication, n.ServerError = askServer(ctx, databases, *q.Server) })
	}
	group.Go(func() { n.OpenPorts = open(ctx, q.Ports) })
	group.Wait()
	return n
}

// there are those of the units that the node has.
func there(units []string) []string {
	return slices.DeleteFunc(slices.Clone(units), func(unit string) bool {
		for _, folder := range []string{"/etc/systemd/system", "/usr/lib/systemd/system"} {
			if _, err := os.Stat(filepath.Join(folder, unit)); err == nil {
				return false
			}
		}
		return true
	})
}

// askServer is PostgreSQL's view of replication, or else why it cannot be had.
func askServer(ctx context.Context, databases Databases, server Server) (*Replication, string) {
	r, err := databases.Replication(ctx, server)
	if err != nil {
		return nil, err.Error()
	}
	return r, ""
}

// system reads load, memory and disk; what cannot be read stays zero.
func (n *Node) system(dataDir string) {
	if data, err := os.ReadFile("/proc/loadavg"); err == nil {
		n.Load, _ = strconv.ParseFloat(firstField(string(data)), 64)
	}
	if data, err := os.ReadFile("/proc/uptime"); err == nil {
		seconds, _ := strconv.ParseFloat(firstField(string(data)), 64)
		n.Uptime = int64(seconds - initStarted())
	}
	if data, err := os.ReadFile("/proc/meminfo"); err == nil {
		n.Memory = available(string(data))
	}
	var fs syscall.Statfs_t
	if syscall.Statfs(dataDir, &fs) == nil {
		n.DiskFree, n.DiskSize = int64(fs.Bavail)*fs.Bsize, int64(fs.Blocks)*fs.Bsize
	}
}

// clockTicks is how many times a second the kernel counts process times for programs (USER_HZ,
// 100 on every Linux architecture that Debian supports).
const clockTicks = 100

// initStarted is when the first process began, in seconds after the kernel's boot: later than
// that in a container, which boots on a kernel that is up. 0 when it cannot be read.
func initStarted() float64 {
	data, err := os.ReadFile("/proc/1/stat")
	if err != nil {
		return 0
	}
	// The name in parentheses may hold blanks; the start time is the 20th field after it.
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 20 {
		return 0
	}
	ticks, _ := strconv.ParseFloat(fields[19], 64)
	return ticks / clockTicks
}

func firstField(text string) string {
	field, _, _ := strings.Cut(text, " ")
	return field
}

// available reads MemAvailable, in kB, from /proc/meminfo.
func available(meminfo string) int64 {
	for line := range strings.Lines(meminfo) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10
		}
	}
	return 0
}

func hasAddress(vip string) bool {
	if vip == "" {
		return false
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.String() == vip {
			return true
		}
	}
	return false
}

// get returns the body of an answer, whatever its status code.
func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(io.LimitReader(response.Body, 4<<20))
}

// askEtcd reads health and leadership; nil when etcd does not answer.
func askEtcd(ctx context.Context, base string) *Etcd {
	body, err := get(ctx, base+"/health")
	if err != nil {
		return nil
	}
	var health struct {
		Health string `json:"health"`
	}
	e := &Etcd{Healthy: json.Unmarshal(body, &health) == nil && health.Health == "true"}
	metrics, err := get(ctx, base+"/metrics")
	if err != nil {
		return e
	}
	lines := bufio.NewScanner(strings.NewReader(string(metrics)))
	for lines.Scan() {
		if lines.Text() == "etcd_server_is_leader 1" {
			e.Leader = true
		}
	}
	return e
}

// askInstance reads the state of the instance on this node.
func askInstance(ctx context.Context, api *patroni.Local) *Own {
	var answer struct {
		Own
		ReplicationState string `json:"replication_state"` // of a replica that runs
		Xlog             struct {
			Location int64 `json:"location"`
			Received int64 `json:"received_location"`
			Replayed int64 `json:"replayed_location"`
		} `json:"xlog"`
		Patroni struct {
			Version string `json:"version"`
		} `json:"patroni"`
	}
	if api.Get(ctx, "/patroni", &answer) != nil || answer.State == "" {
		return nil
	}
	if answer.Role == "master" {
		answer.Role = "primary"
	}
	if answer.State == "running" {
		answer.State = running(answer.Role, answer.ReplicationState, answer.Patroni.Version)
	}
	answer.Position = max(answer.Xlog.Location, answer.Xlog.Received, answer.Xlog.Replayed)
	answer.Own.Patroni = answer.Patroni.Version
	return &answer.Own
}

// running is the state of an instance that runs. Patroni says whether a replica is fed since 3.0.4;
// an older one's replica is taken to be.
func running(role, replication, version string) string {
	switch {
	case replication != "":
		return replication
	case role == "primary", patroni.Before(version, 3, 0, 4):
		return "running"
	}
	return NotStreaming
}

// askCluster reads the cluster as the local member sees it; nothing when it does not answer.
func askCluster(ctx context.Context, api *patroni.Local) ([]Member, bool) {
	var cluster struct {
		Pause   bool `json:"pause"`
		Members []struct {
			Member
			Lag json.RawMessage `json:"lag"`
		} `json:"members"`
	}
	if api.Get(ctx, "/cluster", &cluster) != nil {
		return nil, false
	}
	var members []Member
	for _, m := range cluster.Members {
		m.Member.Lag = lag(m.Lag)
		if m.Role == "leader" {
			m.Role = "primary"
		}
		members = append(members, m.Member)
	}
	return members, cluster.Pause
}

// askConfig reads the cluster's dynamic configuration; nil when there is none.
func askConfig(ctx context.Context, api *patroni.Local) json.RawMessage {
	var config map[string]json.RawMessage // an error is a text
	if api.Get(ctx, "/config", &config) != nil {
		return nil
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil
	}
	return text
}

// lag is a number of bytes, the word unknown, or absent on a primary.
func lag(raw json.RawMessage) int64 {
	if len(raw) == 0 {
		return 0
	}
	bytes, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return -1
	}
	return bytes
}

func open(ctx context.Context, ports []int) []int {
	var accepting []int
	dialer := net.Dialer{Timeout: patience}
	for _, port := range ports {
		conn, err := dialer.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			conn.Close()
			accepting = append(accepting, port)
		}
	}
	return accepting
}

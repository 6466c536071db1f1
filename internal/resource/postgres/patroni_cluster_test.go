package postgres

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// patroniCluster behaves as a Patroni cluster does towards its API: settings that need a restart
// make members wait for one, and a replica does not start with fewer connections than the
// primary runs with.
type patroniCluster struct {
	t       *testing.T
	mu      sync.Mutex
	config  map[string]any
	members []*patroniNode
	done    []string // what was ordered, such as "restart a"
	broken  string   // a member whose restart fails
	dead    string   // a member that does not answer
	unread  int      // how often the configuration is not known yet
	paused  bool
	ca      string
}

type patroniNode struct {
	name    string
	leads   bool
	sync    bool
	lag     any
	running int // max_connections
	loops   int64
	copying int // how often it tells that it is at a new copy of the data
	server  *httptest.Server
}

func newPatroniCluster(t *testing.T, names ...string) *patroniCluster {
	c := &patroniCluster{t: t, config: map[string]any{
		"ttl":        30.0,
		"postgresql": map[string]any{"parameters": map[string]any{"max_connections": 100.0, "work_mem": "4MB"}},
	}}
	for i, name := range names {
		n := &patroniNode{name: name, leads: i == 0, lag: 0, running: 100, loops: 1000}
		n.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, n) }))
		t.Cleanup(n.server.Close)
		c.members = append(c.members, n)
	}
	c.ca = filepath.Join(t.TempDir(), "ca.crt")
	writeForTest(t, c.ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.members[0].server.Certificate().Raw})))
	return c
}

func (c *patroniCluster) api() PatroniAPI {
	return PatroniAPI{URL: c.members[0].server.URL, CA: c.ca, User: "postgres", Password: "secret"}
}

func (c *patroniCluster) wanted() int {
	parameters := c.config["postgresql"].(map[string]any)["parameters"].(map[string]any)
	n, err := strconv.Atoi(configText(parameters["max_connections"]))
	if err != nil {
		return 100
	}
	return n
}

func (c *patroniCluster) leader() *patroniNode {
	for _, n := range c.members {
		if n.leads {
			return n
		}
	}
	return nil
}

func (c *patroniCluster) serve(w http.ResponseWriter, r *http.Request, n *patroniNode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.name == c.dead {
		panic(http.ErrAbortHandler)
	}
	user, password, _ := r.BasicAuth()
	if r.Method != http.MethodGet && (user != "postgres" || password != "secret") {
		http.Error(w, "not authenticated", http.StatusUnauthorized)
		return
	}
	if r.Method != http.MethodGet {
		c.done = append(c.done, strings.TrimPrefix(r.URL.Path, "/")+" "+n.name)
	}
	n.loops++
	switch r.Method + r.URL.Path {
	case "GET/patroni":
		c.write(w, n.state(c))
	case "GET/cluster":
		c.write(w, c.view())
	case "GET/config":
		if c.unread > 0 {
			c.unread--
			http.Error(w, "<!DOCTYPE HTML>", http.StatusBadGateway)
			return
		}
		c.write(w, c.config)
	case "PATCH/config":
		var patch map[string]any
		if err := json.NewDecoder(r.Body).Decode(&patch); err != nil {
			c.t.Error(err)
		}
		mergeConfig(c.config, patch)
		c.write(w, c.config)
	case "POST/reload":
		w.WriteHeader(http.StatusAccepted)
	case "POST/restart":
		if n.name == c.broken {
			http.Error(w, "restart failed", http.StatusServiceUnavailable)
			return
		}
		n.start(c)
		fmt.Fprint(w, "restarted successfully")
	case "POST/switchover":
		c.switchover(w, r)
	case "POST/failover":
		c.failover(w, r)
	case "POST/reinitialize":
		if n.leads {
			http.Error(w, "I am the leader, can not reinitialize", http.StatusServiceUnavailable)
			return
		}
		n.copying = 3
		fmt.Fprint(w, "reinitialize started")
	}
}

func (c *patroniCluster) switchover(w http.ResponseWriter, r *http.Request) {
	var order struct{ Leader, Candidate string }
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil || c.leader().name != order.Leader {
		http.Error(w, "leader name does not match", http.StatusPreconditionFailed)
		return
	}
	old := c.leader()
	for _, m := range c.members {
		m.leads = m.name == order.Candidate
	}
	c.done[len(c.done)-1] = "switchover " + order.Leader + " " + order.Candidate
	old.start(c)
	fmt.Fprint(w, "Successfully switched over")
}

func (c *patroniCluster) failover(w http.ResponseWriter, r *http.Request) {
	var order struct{ Candidate string }
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, m := range c.members {
		m.leads = m.name == order.Candidate
	}
	c.done[len(c.done)-1] = "failover " + order.Candidate
	fmt.Fprint(w, "Successfully failed over")
}

// start is PostgreSQL starting on the member.
func (n *patroniNode) start(c *patroniCluster) {
	n.running = c.wanted()
	if !n.leads {
		n.running = max(n.running, c.leader().running)
	}
}

func (n *patroniNode) state(c *patroniCluster) map[string]any {
	s := map[string]any{"state": "running", "role": "replica", "replication_state": "streaming", "dcs_last_seen": n.loops, "patroni": map[string]any{"version": "4.0.7"}}
	if n.leads {
		s["role"] = "primary"
		delete(s, "replication_state")
	}
	if n.leads && c.config["standby_cluster"] != nil {
		s["role"], s["xlog"] = "standby_leader", map[string]any{"received_location": 2000, "replayed_location": 500}
	}
	if n.copying > 0 {
		n.copying--
		s["state"] = "creating replica"
		delete(s, "replication_state")
	}
	if n.running != c.wanted() {
		s["pending_restart"] = true
		s["pending_restart_reason"] = map[string]any{"max_connections": map[string]any{"old_value": fmt.Sprint(n.running), "new_value": fmt.Sprint(c.wanted())}}
	}
	return s
}

func (c *patroniCluster) view() map[string]any {
	var members []any
	for _, n := range c.members {
		m := map[string]any{"name": n.name, "role": "replica", "state": "streaming", "api_url": n.server.URL + "/patroni", "lag": n.lag}
		switch {
		case n.leads:
			m["role"], m["state"] = "leader", "running"
			delete(m, "lag")
		case n.sync:
			m["role"] = "sync_standby"
		case n.copying > 0:
			m["state"] = "creating replica"
		}
		members = append(members, m)
	}
	return map[string]any{"members": members, "scope": "pg-test", "pause": c.paused}
}

func (c *patroniCluster) write(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		c.t.Error(err)
	}
}

// ordered is what was asked of members since the last time.
func (c *patroniCluster) ordered() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	done := c.done
	c.done = nil
	return done
}

// mergeConfig patches a configuration as Patroni's patch_config does.
func mergeConfig(config, patch map[string]any) {
	for key, value := range patch {
		below, tree := value.(map[string]any)
		current, isTree := config[key].(map[string]any)
		switch {
		case value == nil:
			delete(config, key)
		case tree && isTree:
			current = maps.Clone(current)
			mergeConfig(current, below)
			config[key] = current
		default:
			config[key] = value
		}
	}
}

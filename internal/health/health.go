// Package health holds what nodes say of their services right now, for `pigsty status`. Unlike
// facts it changes from one second to the next, and nothing is compiled from it.
package health

import "encoding/json"

// Query names what to look at on a node.
type Query struct {
	Units       []string `json:"units,omitempty"`        // systemd units that ought to run
	Optional    []string `json:"optional,omitempty"`     // units that ought to run where they are there
	DataDir     string   `json:"data_dir,omitempty"`     // the disk whose free space counts
	EtcdMetrics string   `json:"etcd_metrics,omitempty"` // URL of etcd's plain metrics listener
	PatroniPort int      `json:"patroni_port,omitempty"` // Patroni's REST API on this node
	Config      bool     `json:"config,omitempty"`       // the cluster's dynamic configuration as well
	VIP         string   `json:"vip,omitempty"`          // the cluster's virtual address
	Ports       []int    `json:"ports,omitempty"`        // service ports that ought to accept connections
	Server      *Server  `json:"server,omitempty"`       // PostgreSQL here, asked for its replication
}

// Node is what a node answers.
type Node struct {
	Load      float64           `json:"load"`      // one-minute load average
	Memory    int64             `json:"memory"`    // bytes available
	DiskFree  int64             `json:"disk_free"` // bytes free for users where DataDir lies
	DiskSize  int64             `json:"disk_size"` // bytes
	Uptime    int64             `json:"uptime"`    // seconds since boot
	Units     map[string]string `json:"units"`     // active state of each unit asked for
	Etcd      *Etcd             `json:"etcd,omitempty"`
	Members   []Member          `json:"members,omitempty"` // the cluster as the DCS has it, up to one Patroni loop old
	Own       *Own              `json:"own,omitempty"`     // the instance here, as it is now; nil when Patroni does not answer
	Paused    bool              `json:"paused,omitempty"`  // Patroni's automatic failover is off
	Config    json.RawMessage   `json:"config,omitempty"`  // the dynamic configuration, where asked for and Patroni answers
	HasVIP    bool              `json:"has_vip,omitempty"`
	OpenPorts []int             `json:"open_ports,omitempty"`
	// Replication is PostgreSQL's own view of it, where asked for; ServerError why there is none.
	Replication *Replication `json:"replication,omitempty"`
	ServerError string       `json:"server_error,omitempty"`
}

// Etcd is a member's view of itself.
type Etcd struct {
	Healthy bool `json:"healthy"` // it sees a leader and can commit
	Leader  bool `json:"leader"`  // it is the leader
}

// Own is what an instance says of itself.
type Own struct {
	State string `json:"state"` // as in Member
	Role  string `json:"role,omitempty"`
	// Position is how much WAL it has, in bytes since the cluster was founded: as far as a failover
	// looks at it.
	Position       int64  `json:"position,omitempty"`
	Patroni        string `json:"patroni,omitempty"` // Patroni's version
	Timeline       int    `json:"timeline,omitempty"`
	PendingRestart bool   `json:"pending_restart,omitempty"`
}

// Refresh puts what the instance says of itself in place of what the DCS has of it.
func (m *Member) Refresh(own Own) {
	m.State, m.PendingRestart = own.State, own.PendingRestart
	if own.Timeline != 0 {
		m.Timeline = own.Timeline
	}
}

// Member is one instance as Patroni tells it.
type Member struct {
	Name           string `json:"name"`
	Host           string `json:"host"`
	Role           string `json:"role"`  // primary, standby_leader, replica, sync_standby, quorum_standby
	State          string `json:"state"` // running, streaming, NotStreaming, starting, stopped …
	Timeline       int    `json:"timeline,omitempty"`
	Lag            int64  `json:"lag"` // bytes behind the primary; -1 when unknown
	PendingRestart bool   `json:"pending_restart,omitempty"`
	// Tags are Patroni's, such as nofailover, that are set to something.
	Tags map[string]any `json:"tags,omitempty"`
}

// NotStreaming is the state of an instance that runs and ought to be fed by another, and is not.
const NotStreaming = "not streaming"

// Works tells whether the instance does its part: it leads, or is fed by another one.
func (m Member) Works() bool {
	switch m.State {
	case "running", "streaming", "in archive recovery":
		return true
	}
	return false
}

// Leads tells whether the member is the one that the others follow.
func (m Member) Leads() bool { return m.Role == "primary" || m.Role == "standby_leader" }

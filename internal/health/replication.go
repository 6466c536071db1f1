package health

import "context"

// Server is where a node's own PostgreSQL listens, and as whom it is asked.
type Server struct {
	Socket string `json:"socket,omitempty"` // folder of its Unix socket
	Port   int    `json:"port,omitempty"`
	User   string `json:"user,omitempty"` // operating system user and superuser
}

// Databases asks PostgreSQL over its socket.
type Databases interface {
	Replication(ctx context.Context, server Server) (*Replication, error)
}

// Replication is a server's own view of who feeds it and whom it feeds. Positions are bytes of WAL
// since the cluster was founded, as of one moment.
type Replication struct {
	Recovery bool `json:"recovery"` // it replays WAL and takes no writes
	Timeline int  `json:"timeline"`
	// Position is what the server has on disk: written by itself, or received.
	Position int64 `json:"position"`
	Replayed int64 `json:"replayed,omitempty"` // in recovery alone
	// Age is how long ago the last transaction was committed that it has replayed, in seconds; nil
	// when there was none.
	Age          *float64  `json:"age,omitempty"`
	ReplayPaused bool      `json:"replay_paused,omitempty"`
	Delay        int64     `json:"delay,omitempty"` // recovery_min_apply_delay, in milliseconds
	Synchronous  string    `json:"synchronous,omitempty"`
	Receiver     *Receiver `json:"receiver,omitempty"` // nil when nobody feeds it
	Senders      []Sender  `json:"senders,omitempty"`
}

// Receiver is what feeds a server in recovery.
type Receiver struct {
	Status string `json:"status"` // streaming, starting, waiting …
	Host   string `json:"host"`
	Port   int    `json:"port"`
	Slot   string `json:"slot,omitempty"`
}

// Sender is a server that this one feeds.
type Sender struct {
	Name      string `json:"name"` // its application_name: with Patroni, the instance
	Addr      string `json:"addr"`
	State     string `json:"state"`      // streaming, catchup, startup, backup
	SyncState string `json:"sync_state"` // async, potential, sync, quorum
	// Behind is how many bytes of the feeding server's WAL it has not replayed, Unsent of them are
	// not even on its disk.
	Behind int64 `json:"behind"`
	Unsent int64 `json:"unsent"`
	// Lag is how long replay of recent WAL took, in seconds; nil when the server has been idle and
	// all is replayed.
	Lag *float64 `json:"lag,omitempty"`
}

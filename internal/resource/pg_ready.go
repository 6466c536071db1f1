package resource

import "time"

var (
	_ Resource = (*PgReady)(nil)
	_          = register(func() Resource { return &PgReady{} })
)

// PgRunsAs is what an instance does in its cluster right now.
type PgRunsAs string

const (
	PgPrimary PgRunsAs = "primary" // takes writes
	PgReplica PgRunsAs = "replica" // in recovery, fed by another server; also a standby cluster's leader
)

// PgReady waits until PostgreSQL accepts connections on this node in the wanted role.
type PgReady struct {
	Instance string   `json:"instance"` // name in messages, such as "pg-test-1"
	Conn     PgConn   `json:"conn"`
	Role     PgRunsAs `json:"role,omitempty"` // empty = either
	// Patroni is the member's own REST API, asked for its state when waiting ends badly; an
	// empty URL asks nobody.
	Patroni PatroniAPI `json:"patroni"`
	DataDir string     `json:"data_dir,omitempty"` // empty = /pg/data
	Log     string     `json:"log,omitempty"`      // Patroni's log; empty = /pg/log/patroni.log
	// Timeout is how long to wait without progress. Copying a primary may take hours, so the
	// clock starts anew whenever the copy or the replay gets further than ever. 0 = 3 minutes.
	Timeout time.Duration `json:"timeout,omitempty"`
}

func (r *PgReady) Kind() string { return "pg_ready" }
func (r *PgReady) Name() string { return r.Instance }

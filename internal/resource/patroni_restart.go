package resource

import "time"

var (
	_ Resource = (*PatroniRestart)(nil)
	_          = register(func() Resource { return &PatroniRestart{} })
)

// RestartMethod is how the primary of a cluster takes settings that need a restart.
type RestartMethod string

const (
	// RestartInPlace restarts the primary where it is: clients wait for a shutdown and a start.
	RestartInPlace RestartMethod = "restart"
	// RestartBySwitchover hands the primary's role to a replica that was restarted before:
	// clients wait for a promotion only, and the primary moves.
	RestartBySwitchover RestartMethod = "switchover"
)

// PatroniRestart restarts the members of a cluster that have settings waiting for it, one at a
// time and in the order that PostgreSQL needs. List it on the leader's node, after all members
// have their new settings.
type PatroniRestart struct {
	Cluster string        `json:"cluster"`
	API     PatroniAPI    `json:"api"`              // of the member on this node
	Conn    PgConn        `json:"conn"`             // asked what the leader runs with
	Method  RestartMethod `json:"method,omitempty"` // empty = restart
	// Timeout is how long a member may take to come back. 0 = 5 minutes.
	Timeout time.Duration `json:"timeout,omitempty"`
}

func (r *PatroniRestart) Kind() string { return "patroni_restart" }
func (r *PatroniRestart) Name() string { return r.Cluster }

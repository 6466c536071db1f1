package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*NoSessions)(nil)
	_                   = resource.Register(func() resource.Resource { return &NoSessions{} })
)

// NoSessions is a server on which nobody uses a database, or is logged in as a user. Sessions are
// an error unless they are to be ended. List it on every member: a replica has sessions of its
// own.
type NoSessions struct {
	Conn     Conn   `json:"conn"`
	Pool     Pool   `json:"pool"`
	Database string `json:"database,omitempty"` // or
	User     string `json:"user,omitempty"`
	End      bool   `json:"end,omitempty"` // end those that there are
}

func (n *NoSessions) Kind() string { return "pg_no_sessions" }

// Name says whose.
func (n *NoSessions) Name() string {
	if n.User != "" {
		return "user " + n.User
	}
	return "database " + n.Database
}

// column is of pg_stat_activity.
func (n *NoSessions) column() (column, name string) {
	if n.User != "" {
		return "usename", n.User
	}
	return "datname", n.Database
}

func (n *NoSessions) sessions(ctx context.Context, h *resource.Host) ([]string, error) {
	s, err := n.Conn.session(ctx, h, maintenance)
	if errors.Is(err, errNoServer) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	column, name := n.column()
	return n.Pool.users(ctx, h, s, column, name)
}

// Diff lists the sessions.
func (n *NoSessions) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	list, err := n.sessions(ctx, h)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	if !n.End {
		return nil, fmt.Errorf("%s is in use by %s: end that, or say --end-sessions", n.Name(), shortList(list))
	}
	c := &resource.Change{Action: resource.Delete, Impact: resource.Restart, Effect: "sessions are ended"}
	for _, one := range list[:min(len(list), listedAtMost)] {
		c.Add("session", "", one)
	}
	return c, nil
}

// Apply ends the sessions. A client that comes back at once is ended again, up to when the
// database or the user is away; see aside.
func (n *NoSessions) Apply(ctx context.Context, h *resource.Host) error {
	s, err := n.Conn.session(ctx, h, maintenance)
	if err != nil {
		return err
	}
	return n.end(ctx, s)
}

// end ends also what the pool keeps open for nobody.
func (n *NoSessions) end(ctx context.Context, s session) error {
	column, name := n.column()
	_, err := s.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name <> 'pigsty' AND "+column+" = $1", name)
	return problem("end sessions of "+n.Name(), err)
}

// asidePatience is how long clients that come back at once are struggled with.
const asidePatience = 10 * time.Second

// aside runs statements that fail while somebody is there. In between, sessions are ended where that
// is allowed, and where the pool alone has any, which nobody uses.
func (n *NoSessions) aside(ctx context.Context, h *resource.Host, s session, doing string, edits []edit) error {
	for deadline := time.Now().Add(asidePatience); ; {
		err := s.run(ctx, doing, edits)
		if sqlState(err) != stateInUse || time.Now().After(deadline) {
			return err
		}
		if !n.End {
			if list, asking := n.sessions(ctx, h); len(list) > 0 || asking != nil {
				return errors.Join(err, asking)
			}
		}
		if err := n.end(ctx, s); err != nil {
			return err
		}
	}
}

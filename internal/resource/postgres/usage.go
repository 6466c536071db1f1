package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pigsty/internal/resource"
)

// watching is how the exporter calls its sessions, which use nothing.
const watching = "pg_exporter"

const sessionQuery = `
SELECT pid::text, 'process ' || pid || coalesce(' of ' || nullif(usename, ''), '') || coalesce(' in ' || datname, '')
       || coalesce(' from ' || host(client_addr), '') || coalesce(' (' || nullif(application_name, '') || ')', '')
FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name NOT IN ('pigsty', '` + watching + `') AND `

// users lists who uses a role or database on this node, in words: its sessions, and the clients of
// the pool, whose own sessions with the server do not count. column is of pg_stat_activity.
func (p Pool) users(ctx context.Context, h *resource.Host, s session, column, name string) ([]string, error) {
	doing := "look for sessions of " + name
	of := map[string]string{"usename": "user", "datname": "database"}
	clients, err := p.clients(ctx, h, of[column], name)
	if err != nil {
		return nil, err
	}
	pooled, err := p.processes(ctx, h)
	if err != nil {
		return nil, err
	}
	var found []string
	var pid, text string
	err = s.forEach(ctx, sessionQuery+column+" = $1 ORDER BY 2", []any{name}, []any{&pid, &text}, func() {
		if !slices.Contains(pooled, pid) {
			found = append(found, text)
		}
	})
	return append(found, clients...), problem(doing, err)
}

var (
	_ resource.Resource = (*Unused)(nil)
	_                   = resource.Register(func() resource.Resource { return &Unused{} })
)

// Unused asks that nobody uses a role or a database on a member of the cluster, as a condition for
// dropping it on the leader, which knows of its own sessions only. It changes nothing. List it on
// each member but the leader, and let the drop wait for it.
type Unused struct {
	Conn     Conn   `json:"conn"`
	Pool     Pool   `json:"pool"`
	Instance string `json:"instance"`           // name in messages, such as "pg-test-2"
	Role     string `json:"role,omitempty"`     // one of both
	Database string `json:"database,omitempty"` // is given
}

func (u *Unused) Kind() string { return "pg_unused" }

func (u *Unused) Name() string {
	if u.Role != "" {
		return "role " + u.Role
	}
	return "database " + u.Database
}

func (u *Unused) users(ctx context.Context, h *resource.Host) ([]string, error) {
	s, err := u.Conn.session(ctx, h, maintenance)
	if errors.Is(err, errNoServer) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if u.Role != "" {
		return u.Pool.users(ctx, h, s, "usename", u.Role)
	}
	return u.Pool.users(ctx, h, s, "datname", u.Database)
}

// Diff is a change, which Apply will refuse, while somebody uses it.
func (u *Unused) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	users, err := u.users(ctx, h)
	if len(users) == 0 || err != nil {
		return nil, err
	}
	return &resource.Change{Action: resource.Run, Effect: u.Name() + " stays while it is in use: " + shortList(users)}, nil
}

// Apply is an error as long as somebody uses it.
func (u *Unused) Apply(ctx context.Context, h *resource.Host) error {
	users, err := u.users(ctx, h)
	if len(users) == 0 || err != nil {
		return err
	}
	return fmt.Errorf("%s is not dropped, because it is in use on %s: %s; end the sessions and apply again", u.Name(), u.Instance, shortList(users))
}

package postgres

import (
	"context"
	"fmt"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*RoleBack)(nil)
	_                   = resource.Register(func() resource.Resource { return &RoleBack{} })
)

// RoleBack gives a user that was set aside its name and its login back: the last one of that
// name. What it owned and was given to others stays with them.
type RoleBack struct {
	Conn Conn   `json:"conn"`
	Role string `json:"role"`
}

func (r *RoleBack) Kind() string { return "pg_role_back" }
func (r *RoleBack) Name() string { return r.Role }

func (r *RoleBack) look(ctx context.Context, h *resource.Host) (session, *resource.Aside, error) {
	s, err := r.Conn.session(ctx, h, maintenance)
	if err != nil {
		return s, nil, err
	}
	a, err := s.newest(ctx, resource.AsideUser, r.Role)
	if a == nil || err != nil {
		return s, nil, err
	}
	taken, err := s.exists(ctx, "SELECT 1 FROM pg_roles WHERE rolname = $1", r.Role)
	if taken {
		return s, nil, fmt.Errorf("there is a user %s again: rename or remove it first, then bring back %s", r.Role, a.As)
	}
	return s, a, problem("look for user "+r.Role, err)
}

// Diff is a change while one is kept, and an error when its name is taken.
func (r *RoleBack) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	_, a, err := r.look(ctx, h)
	if a == nil || err != nil {
		return nil, err
	}
	c := &resource.Change{Action: resource.Create}
	c.Add("renamed from", "", a.As)
	return c, nil
}

// Apply renames it and lets it log in again, in one transaction.
func (r *RoleBack) Apply(ctx context.Context, h *resource.Host) error {
	s, a, err := r.look(ctx, h)
	if a == nil || err != nil {
		return err
	}
	var text string
	err = s.QueryRow(ctx, "SELECT coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = $1", a.As).Scan(&text)
	if err != nil {
		return problem("look at user "+a.As, err)
	}
	note, _ := readAsideComment(text)
	object := "ROLE " + quoteName(r.Role)
	sql := []string{
		"ALTER ROLE " + quoteName(a.As) + " RENAME TO " + quoteName(r.Role),
		"COMMENT ON " + object + " IS " + commentText(note.Comment),
	}
	if note.Open {
		sql = append(sql, "ALTER "+object+" LOGIN")
	}
	return s.run(ctx, "bring back user "+r.Role, []edit{{SQL: sql}})
}

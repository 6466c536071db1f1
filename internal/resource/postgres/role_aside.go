package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*RoleAside)(nil)
	_                   = resource.Register(func() resource.Resource { return &RoleAside{} })
)

// RoleAside takes a user away and keeps it for some days, under another name and without login:
// its rights, memberships and settings stay with it. A user that owns something, or that others
// are members of, is refused. List NoSessions before it, on every member.
type RoleAside struct {
	Conn Conn   `json:"conn"`
	Role string `json:"role"`
	As   string `json:"as"`             // what is named to bring it back
	Days int    `json:"days,omitempty"` // how long it is kept; 0 = until somebody drops it
	Now  bool   `json:"now,omitempty"`  // drop it at once instead
	End  bool   `json:"end,omitempty"`  // sessions that come back are ended
	// Reassign gives what the user owns to the owner of the database that it lies in.
	Reassign bool `json:"reassign,omitempty"`
}

func (r *RoleAside) Kind() string { return "pg_role_aside" }
func (r *RoleAside) Name() string { return r.Role }

func (r *RoleAside) role() *Role { return &Role{Conn: r.Conn, Role: r.Role, Absent: true} }

const memberQuery = `
SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member
WHERE a.roleid = $1 AND m.rolname !~ '\.removed-\d{8}T\d{6}Z$' ORDER BY 1`

// look reads the role and what it owns; nil when there is none. An error refuses it.
func (r *RoleAside) look(ctx context.Context, h *resource.Host) (*roleRow, []string, error) {
	s, err := r.Conn.session(ctx, h, maintenance)
	if errors.Is(err, errNoServer) {
		return nil, nil, fmt.Errorf("PostgreSQL does not run here: start it first")
	}
	if err != nil {
		return nil, nil, err
	}
	have, err := r.role().existing(ctx, s)
	if have == nil || err != nil {
		return nil, nil, err
	}
	hold, err := r.role().hold(ctx, h, s, have.oid)
	if err != nil {
		return nil, nil, err
	}
	// Looking may have taken the session to another database.
	if s, err = r.Conn.session(ctx, h, maintenance); err != nil {
		return nil, nil, err
	}
	members, err := s.texts(ctx, memberQuery, have.oid)
	switch {
	case err != nil:
		return nil, nil, problem("look for members of role "+r.Role, err)
	case len(members) > 0:
		return nil, nil, fmt.Errorf("%s is not removed: %s has its rights by being a member of it; take that back first (REVOKE %s FROM …)", r.Role, shortList(members), quoteName(r.Role))
	}
	owned := withoutAside(hold.owned)
	if len(owned) > 0 && !r.Reassign {
		return nil, nil, fmt.Errorf("%s is not removed: it owns %s; give that to another role (REASSIGN OWNED), or say --reassign to give it to the owner of its database", r.Role, shortList(owned))
	}
	return have, owned, nil
}

// withoutAside leaves out databases that are set aside, and what lies in them: the user that owns
// them stays as long as they do.
func withoutAside(owned []string) []string {
	return slices.DeleteFunc(owned, func(what string) bool { return inAside.MatchString(what) })
}

// inAside matches what is said of a database that is set aside; see hold.
var inAside = regexp.MustCompile(`\.removed-\d{8}T\d{6}Z(,|$)`)

// Diff is a change while there is such a role.
func (r *RoleAside) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	have, owned, err := r.look(ctx, h)
	if have == nil || err != nil {
		return nil, err
	}
	c := &resource.Change{Action: resource.Delete, Effect: "it cannot log in any more"}
	if r.Now {
		c.Effect = "its rights and settings are lost"
	} else {
		c.Add("renamed to", "", r.Role+".removed-<time>")
		c.Add("kept", "", resource.KeptFor(r.Days))
	}
	for _, o := range owned[:min(len(owned), listedAtMost)] {
		c.Add("goes to the owner of its database", "", o)
	}
	if strings.HasPrefix(have.password, "md5") {
		c.Add("password", "MD5", "lost, as it depends on the name")
	}
	return c, nil
}

// Apply gives away what the role owns, then renames it and takes its login in one transaction.
func (r *RoleAside) Apply(ctx context.Context, h *resource.Host) error {
	have, owned, err := r.look(ctx, h)
	if have == nil || err != nil {
		return err
	}
	if len(owned) > 0 {
		if err := r.reassign(ctx, h, have.oid); err != nil {
			return err
		}
	}
	s, err := r.Conn.session(ctx, h, maintenance)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	note := asideComment{Name: r.Role, Removed: now, Open: have.Login, Comment: have.comment}
	if r.Days > 0 {
		note.Expires = now.AddDate(0, 0, r.Days)
	}
	as := asideName(r.Role, now)
	object := "ROLE " + quoteName(as)
	err = s.run(ctx, "set user "+r.Role+" aside", []edit{{SQL: []string{
		"ALTER ROLE " + quoteName(r.Role) + " RENAME TO " + quoteName(as),
		"ALTER " + object + " NOLOGIN",
		"COMMENT ON " + object + " IS " + quoteText(note.String()),
	}}})
	if err != nil {
		return err
	}
	// Who came in between the look and the renaming.
	if err := (&NoSessions{Conn: r.Conn, User: as}).end(ctx, s); err != nil {
		return err
	}
	if r.Now {
		return r.Conn.destroy(ctx, h, resource.Aside{What: resource.AsideUser, As: as})
	}
	h.Note("user %s is kept as %s: pigsty undo %s brings it back", r.Role, as, r.As)
	return nil
}

// reassign gives what the role owns in each database to that one's owner, or to the superuser
// where that is the role itself.
func (r *RoleAside) reassign(ctx context.Context, h *resource.Host, oid uint32) error {
	doing := "give away what role " + r.Role + " owns"
	s, err := r.Conn.session(ctx, h, maintenance)
	if err != nil {
		return err
	}
	var database, owner string
	owners := map[string]string{}
	err = s.forEach(ctx, reassignQuery, []any{oid}, []any{&database, &owner}, func() { owners[database] = owner })
	if err != nil {
		return problem(doing, err)
	}
	for database, owner := range owners {
		if owner == r.Role {
			owner = r.Conn.user()
		}
		in, err := r.Conn.session(ctx, h, database)
		if err != nil {
			return problem(doing, err)
		}
		sql := "REASSIGN OWNED BY " + quoteName(r.Role) + " TO " + quoteName(owner)
		if err := in.run(ctx, doing, []edit{{SQL: []string{sql}}}); err != nil {
			return err
		}
	}
	return nil
}

// A shared object, such as a database itself, is given away from within any database: the
// maintenance one stands for them.
const reassignQuery = `
SELECT DISTINCT d.datname, o.rolname FROM pg_shdepend s
JOIN pg_database d ON d.oid = s.dbid OR s.dbid = 0 AND d.datname = 'postgres'
JOIN pg_roles o ON o.oid = d.datdba
WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1 AND s.deptype = 'o' AND d.datallowconn`

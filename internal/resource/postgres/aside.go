package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/resource"
)

// A database or a user is set aside where it is: under another name, with nobody let in. What it
// was before stands in its comment, which replication carries to every member.

// asideMark begins such a comment.
const asideMark = "pigsty removed "

// asideComment is what the comment says.
type asideComment struct {
	Name    string    `json:"name"` // what it was called
	Removed time.Time `json:"removed"`
	Expires time.Time `json:"expires,omitzero"` // zero = kept until somebody drops it
	Open    bool      `json:"open"`             // it took connections, or could log in
	Comment string    `json:"comment,omitempty"`
}

func (c asideComment) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // plain text and times always encode
	}
	return asideMark + string(text)
}

// readAsideComment tells what a comment says; ok is false for any other comment.
func readAsideComment(text string) (c asideComment, ok bool) {
	rest, marked := strings.CutPrefix(text, asideMark)
	return c, marked && json.Unmarshal([]byte(rest), &c) == nil && c.Name != ""
}

// longestName is the bytes that PostgreSQL keeps of a name.
const longestName = 63

// asideName is the name that something gets when it is set aside. Of a long one, the end is cut.
func asideName(name string, at time.Time) string {
	suffix := resource.AsideName("", at)
	if cut := longestName - len(suffix); len(name) > cut {
		for !utf8.RuneStart(name[cut]) {
			cut--
		}
		name = name[:cut]
	}
	return name + suffix
}

// asideForm matches what asideName gives.
var asideForm = regexp.MustCompile(`\.removed-\d{8}T\d{6}Z$`)

const asideQuery = `
SELECT 'database', datname, coalesce(shobj_description(oid, 'pg_database'), ''), pg_database_size(oid)
FROM pg_database WHERE datname ~ '\.removed-\d{8}T\d{6}Z$'
UNION ALL
SELECT 'user', rolname, coalesce(shobj_description(oid, 'pg_authid'), ''), 0
FROM pg_roles WHERE rolname ~ '\.removed-\d{8}T\d{6}Z$'`

// asides lists what is set aside in the server, oldest first.
func (s session) asides(ctx context.Context) ([]resource.Aside, error) {
	var what, as, text string
	var bytes int64
	var all []resource.Aside
	err := s.forEach(ctx, asideQuery, nil, []any{&what, &as, &text, &bytes}, func() {
		if c, ok := readAsideComment(text); ok {
			all = append(all, resource.Aside{What: what, Item: c.Name, As: as, Removed: c.Removed, Expires: c.Expires, Bytes: bytes})
		}
	})
	slices.SortFunc(all, func(a, b resource.Aside) int { return cmp.Or(a.Removed.Compare(b.Removed), cmp.Compare(a.As, b.As)) })
	return all, problem("look for what is set aside", err)
}

// newest is the last one of that kind and name; nil when there is none.
func (s session) newest(ctx context.Context, what, item string) (*resource.Aside, error) {
	all, err := s.asides(ctx)
	if err != nil {
		return nil, err
	}
	var newest *resource.Aside
	for i, a := range all {
		if a.What == what && a.Item == item {
			newest = &all[i]
		}
	}
	return newest, nil
}

// Asides lists the databases and users that are set aside in the node's server. Only a primary
// tells: its replicas have the same.
func (c Conn) Asides(ctx context.Context, h *resource.Host) ([]resource.Aside, error) {
	s, err := c.primary(ctx, h)
	if s == nil || err != nil {
		return nil, err
	}
	return s.asides(ctx)
}

// primary is a session with the node's server when that takes writes; nil when it does not, or
// does not run.
func (c Conn) primary(ctx context.Context, h *resource.Host) (*session, error) {
	s, err := c.session(ctx, h, maintenance)
	if errors.Is(err, errNoServer) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var replica bool
	if err := s.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&replica); err != nil {
		return nil, problem("ask for the server's role", err)
	}
	if replica {
		return nil, nil
	}
	return &s, nil
}

// ExpireServer is a file on the node that holds, as JSON, the Conn of its server, for whoever looks
// there without a controller for what has expired.
const ExpireServer = "/var/lib/pigsty/removed/server.json"

// Expire drops what is set aside in the node's server and has expired, databases before the
// users that own them, and says what. What cannot be dropped stays, with the reason.
func (c Conn) Expire(ctx context.Context, h *resource.Host, now time.Time) ([]resource.Aside, error) {
	s, err := c.primary(ctx, h)
	if s == nil || err != nil {
		return nil, err
	}
	all, err := s.asides(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b resource.Aside) int { return cmp.Compare(a.What, b.What) })
	var expired []resource.Aside
	var failed []error
	for _, a := range all {
		if !a.Gone(now) {
			continue
		}
		if err := c.destroy(ctx, h, a); err != nil {
			failed = append(failed, err)
			continue
		}
		expired = append(expired, a)
	}
	return expired, errors.Join(failed...)
}

// destroy drops what is set aside for good.
func (c Conn) destroy(ctx context.Context, h *resource.Host, a resource.Aside) error {
	if !asideForm.MatchString(a.As) {
		return fmt.Errorf("%s %s is not dropped: it is not set aside", a.What, a.As)
	}
	var r resource.Resource = &Role{Conn: c, Role: a.As, Absent: true}
	if a.What == resource.AsideDatabase {
		r = &Database{Conn: c, Database: a.As, Absent: true}
	}
	return r.Apply(ctx, h)
}

// exists tells whether there is a row; the query takes the name.
func (s session) exists(ctx context.Context, query, name string) (bool, error) {
	var one int
	err := s.QueryRow(ctx, query, name).Scan(&one)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// commentText is a comment as SQL: NULL takes it away.
func commentText(text string) string {
	if text == "" {
		return "NULL"
	}
	return quoteText(text)
}

package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Baseline)(nil)
	_                   = resource.Register(func() resource.Resource { return &Baseline{} })
)

// Baseline is an SQL script that was run once in a database. That it ran is recorded in the
// database itself, in table monitor.pigsty_baseline. A script that changes afterwards is not run
// again: what it made belongs to the application by then, and a note says so.
type Baseline struct {
	Conn     Conn   `json:"conn"`
	Database string `json:"database"`
	Script   string `json:"script"` // its name in the record, such as "cmdb.sql"
	// SQL is the script: plain SQL, without psql's backslash commands or COPY FROM stdin. It
	// runs in one transaction, and must hold no secret.
	SQL string `json:"sql"`
}

// baselineRecord is the table of scripts that ran in its database.
const baselineRecord = `
CREATE SCHEMA IF NOT EXISTS monitor;
CREATE TABLE IF NOT EXISTS monitor.pigsty_baseline (
    script text PRIMARY KEY,
    digest text NOT NULL,
    loaded timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE monitor.pigsty_baseline IS 'scripts that pigsty ran once in this database';`

// psqlCommand matches what only psql understands.
var psqlCommand = regexp.MustCompile(`(?im)^\s*\\[a-z!.]+|^\s*COPY\s[^;]*\sFROM\s+STDIN`)

func (b *Baseline) Kind() string { return "pg_baseline" }
func (b *Baseline) Name() string { return b.Database + "/" + b.Script }

func (b *Baseline) digest() string {
	sum := sha256.Sum256([]byte(b.SQL))
	return hex.EncodeToString(sum[:])
}

// Diff looks for the script in the record.
func (b *Baseline) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	if found := psqlCommand.FindString(b.SQL); found != "" {
		return nil, fmt.Errorf("baseline %s: %q is for psql only: write it in plain SQL, or load the script by hand", b.Script, found)
	}
	run := &resource.Change{Action: resource.Run, Fields: []resource.Field{{Name: "script", After: fmt.Sprintf("%s, %d bytes", b.Script, len(b.SQL))}}}
	s, err := b.Conn.session(ctx, h, b.Database)
	if errors.Is(err, errNoServer) {
		return run, nil
	}
	if err != nil {
		return nil, err
	}
	digest, loaded, err := b.recorded(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case digest == "":
		return run, nil
	case digest != b.digest():
		h.Note("database %s: %s has changed since it was loaded on %s, and is not loaded again", b.Database, b.Script, loaded)
	}
	return nil, nil
}

// recorded is the digest of the script when it ran, and the day; empty when it did not.
func (b *Baseline) recorded(ctx context.Context, s session) (digest, loaded string, err error) {
	doing := "look for the record of " + b.Script
	var there bool
	if err := s.QueryRow(ctx, "SELECT to_regclass('monitor.pigsty_baseline') IS NOT NULL").Scan(&there); err != nil || !there {
		return "", "", problem(doing, err)
	}
	err = s.QueryRow(ctx, "SELECT digest, loaded::date::text FROM monitor.pigsty_baseline WHERE script = $1", b.Script).Scan(&digest, &loaded)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", nil
	}
	return digest, loaded, problem(doing, err)
}

// Apply runs the script and records it in the same transaction. It has a session of its own,
// with the settings that users of the database have, because scripts change settings and roles.
func (b *Baseline) Apply(ctx context.Context, h *resource.Host) error {
	s, err := b.Conn.open(ctx, h, b.Database)
	if err != nil {
		return err
	}
	defer s.Close()
	insert := fmt.Sprintf("INSERT INTO monitor.pigsty_baseline (script, digest) VALUES (%s, %s)", quoteText(b.Script), quoteText(b.digest()))
	err = s.run(ctx, "load "+b.Script+" into database "+b.Database, []edit{{SQL: []string{
		baselineRecord,
		"SET LOCAL statement_timeout = 0",
		"SET LOCAL search_path = \"$user\", public",
		b.SQL,
		"RESET SESSION AUTHORIZATION",
		insert,
	}}})
	if line := b.line(err); line > 0 {
		return fmt.Errorf("line %d: %w", line, err)
	}
	return err
}

// line is where in the script the server saw the error; 0 when it did not say.
func (b *Baseline) line(err error) int {
	var p *pgconn.PgError
	if !errors.As(err, &p) || p.Position < 1 || int(p.Position) > len([]rune(b.SQL)) {
		return 0
	}
	return strings.Count(string([]rune(b.SQL)[:p.Position-1]), "\n") + 1
}

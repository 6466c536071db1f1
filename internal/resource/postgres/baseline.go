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
// database itself, in table monitor.pigsty_baseline, in the transaction that runs it: a run that is
// killed leaves both or neither. A script that changes afterwards is not run again: what it made
// belongs to the application by then, and a note says so.
type Baseline struct {
	Conn     Conn   `json:"conn"`
	Database string `json:"database"`
	Script   string `json:"script"` // its name in the record, such as "cmdb.sql"
	// SQL is the script: plain SQL, without psql's backslash commands or COPY FROM stdin. It
	// runs in one transaction, which it cannot end, and must hold no secret.
	SQL string `json:"sql"`
	// New limits it to a database that Database, with its Baseline set, has just created, and
	// opens that in the same transaction. Any other database is taken to be in order.
	New bool `json:"new,omitempty"`
	// ConnLimit and Shut are what a new database gets when it opens: the most sessions, -1 for no
	// limit, and whether it takes none at all.
	ConnLimit int  `json:"connlimit,omitempty"`
	Shut      bool `json:"shut,omitempty"`
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

// ForPsql finds the first thing in an SQL script that only psql understands, such as \i; the line
// is 0 when there is none.
func ForPsql(sql string) (line int, found string) {
	at := psqlCommand.FindStringIndex(sql)
	if at == nil {
		return 0, ""
	}
	found = strings.TrimSpace(sql[at[0]:at[1]])
	return strings.Count(sql[:strings.Index(sql[at[0]:], found)+at[0]], "\n") + 1, found
}

// Diff looks for the script in the record.
func (b *Baseline) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	if line, found := ForPsql(b.SQL); line > 0 {
		return nil, fmt.Errorf("baseline %s: line %d: %q is for psql only: write it in plain SQL, or load the script by hand", b.Script, line, found)
	}
	run := &resource.Change{Action: resource.Run, Fields: []resource.Field{{Name: "script", After: fmt.Sprintf("%s, %d bytes", b.Script, len(b.SQL))}}}
	if b.New {
		awaited, err := b.awaited(ctx, h)
		if err != nil || !awaited {
			return nil, err
		}
		return run, nil
	}
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

// awaited tells whether the database waits for the script, or is yet to be created.
func (b *Baseline) awaited(ctx context.Context, h *resource.Host) (bool, error) {
	s, err := b.Conn.session(ctx, h, maintenance)
	if errors.Is(err, errNoServer) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	var awaits bool // as databaseRow has it
	err = s.QueryRow(ctx, "SELECT datistemplate AND datconnlimit = 0 FROM pg_database WHERE datname = $1", b.Database).Scan(&awaits)
	if errors.Is(err, pgx.ErrNoRows) {
		return true, nil
	}
	return awaits, problem("look at database "+b.Database, err)
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
// PL/pgSQL's EXECUTE takes a script of many statements and refuses those that begin or end a
// transaction.
func (b *Baseline) Apply(ctx context.Context, h *resource.Host) error {
	s, err := b.Conn.open(ctx, h, b.Database)
	if err != nil {
		return err
	}
	err = b.load(ctx, s)
	s.Close()
	if err != nil || !b.Shut {
		return err
	}
	b.Conn.leave(h, b.Database)
	// PostgreSQL cannot shut the database that a session is in.
	if s, err = b.Conn.session(ctx, h, maintenance); err != nil {
		return err
	}
	return s.run(ctx, "shut database "+b.Database, []edit{b.shut()})
}

// opening are the statements that end the wait of a new database.
func (b *Baseline) opening() []string {
	alter := "ALTER DATABASE " + quoteName(b.Database)
	return []string{alter + " IS_TEMPLATE false", fmt.Sprintf("%s CONNECTION LIMIT %d", alter, b.ConnLimit)}
}

func (b *Baseline) shut() edit {
	return edit{SQL: []string{"ALTER DATABASE " + quoteName(b.Database) + " ALLOW_CONNECTIONS false"}}
}

func (b *Baseline) load(ctx context.Context, s session) error {
	insert := fmt.Sprintf("INSERT INTO monitor.pigsty_baseline (script, digest) VALUES (%s, %s)", quoteText(b.Script), quoteText(b.digest()))
	sql := []string{
		baselineRecord,
		"SET LOCAL statement_timeout = 0",
		"SET LOCAL search_path = \"$user\", public",
		"DO LANGUAGE plpgsql " + quoteText("BEGIN EXECUTE "+quoteText(b.SQL)+"; END"),
		"RESET SESSION AUTHORIZATION",
		insert,
	}
	if b.New {
		sql = append(sql, b.opening()...)
	}
	err := s.run(ctx, "load "+b.Script+" into database "+b.Database, []edit{{SQL: sql}})
	if line := b.line(err); line > 0 {
		return fmt.Errorf("line %d: %w", line, err)
	}
	var p *pgconn.PgError
	if errors.As(err, &p) && p.Code == stateNotSupported && strings.Contains(p.Message, "transaction commands") {
		return fmt.Errorf("%w; the script runs in one transaction: take BEGIN, COMMIT and the like out of it", err)
	}
	return err
}

// line is where in the script the server saw the error; 0 when it did not say.
func (b *Baseline) line(err error) int {
	var p *pgconn.PgError
	if !errors.As(err, &p) || p.InternalQuery != b.SQL || p.InternalPosition < 1 || int(p.InternalPosition) > len([]rune(b.SQL)) {
		return 0
	}
	return strings.Count(string([]rune(b.SQL)[:p.InternalPosition-1]), "\n") + 1
}

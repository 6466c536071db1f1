package postgres

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATEs that are expected, from appendix A of PostgreSQL's manual.
const (
	stateReadOnly      = "25006" // read_only_sql_transaction
	stateDependents    = "2BP01" // dependent_objects_still_exist
	stateNoDatabase    = "3D000" // invalid_catalog_name
	stateBadValue      = "22023" // invalid_parameter_value
	stateInUse         = "55006" // object_in_use
	stateLocked        = "55P03" // lock_not_available
	stateNotSupported  = "0A000" // feature_not_supported
	stateNoFile        = "58P01" // undefined_file
	stateStarting      = "57P03" // cannot_connect_now
	stateNotIdentified = "28000" // invalid_authorization_specification
	stateFull          = "53300" // too_many_connections
)

// advice says what to do about an expected SQLSTATE.
var advice = map[string]string{
	stateReadOnly:      "this server is not the primary, perhaps since a moment ago: run it again",
	stateDependents:    "remove or reassign what depends on it first",
	stateInUse:         "end the sessions that use it first",
	stateLocked:        "somebody holds a lock on it: see pg_locks, and run it again",
	stateStarting:      "it is starting up or shutting down: run it again in a moment",
	stateNotIdentified: "pg_hba.conf needs a line that lets the superuser in over the Unix socket by peer",
	stateFull:          "end sessions or raise superuser_reserved_connections",
	stateNoFile:        "its package is not installed: add it to pg_extensions",
}

// Error is an error that PostgreSQL reported, told for people.
type Error struct {
	Doing  string // what was tried, such as "create role app"
	Code   string // SQLSTATE
	Text   string // the server's message, its detail and hint
	Advice string // what to do, where that is known
	Err    error
}

func (e *Error) Error() string {
	text := e.Doing + ": " + e.Text + " (SQLSTATE " + e.Code + ")"
	if e.Advice != "" {
		text += "; " + e.Advice
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// sqlState is the SQLSTATE of an error that came from the server; empty for others.
func sqlState(err error) string {
	var p *pgconn.PgError
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

// problem says what was being done when the server, or the way to it, reported an error. The
// statement is left out: it may hold a password.
func problem(doing string, err error) error {
	var p *pgconn.PgError
	if err == nil || errors.Is(err, errNoServer) {
		return err
	}
	if !errors.As(err, &p) {
		return &connectionError{doing, err}
	}
	parts := []string{p.Message}
	for _, part := range []string{p.Detail, p.Hint} {
		if part != "" {
			parts = append(parts, strings.TrimSuffix(strings.ReplaceAll(part, "\n", "; "), "."))
		}
	}
	e := &Error{Doing: doing, Code: p.Code, Text: strings.Join(parts, ". "), Advice: advice[p.Code], Err: err}
	if p.Code == stateNotSupported && strings.HasPrefix(p.Message, "extension ") && strings.HasSuffix(p.Message, "is not available") {
		e.Advice = advice[stateNoFile]
	}
	return e
}

// connectionError is trouble on the way to the server, whose own words already say enough.
type connectionError struct {
	doing string
	err   error
}

func (e *connectionError) Error() string { return e.doing + ": " + e.err.Error() }
func (e *connectionError) Unwrap() error { return e.err }

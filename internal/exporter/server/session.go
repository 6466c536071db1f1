package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// lockTimeout is how long a statement waits for a lock of somebody else's.
const lockTimeout = 200 * time.Millisecond

// session is one connection and what was prepared on it. One goroutine uses it at a time.
type session struct {
	conn     *pgconn.PgConn
	simple   bool // no prepared statements: pgBouncer's console, or a pool in between
	console  bool // pgBouncer's console, which knows no settings of a session
	prepared map[string]*statement
	limits   limits // that the server is set to
	usedAt   time.Time
	grace    time.Duration // that the server has beyond a statement's timeout to say that it was too slow, before the connection is given up
}

// limits are the settings of a statement.
type limits struct {
	timeout  time.Duration // 0 = none
	confined bool          // nothing but pg_catalog in the search path: nobody can put a function of his own into the way
}

// statement is a prepared query and what is known of its result.
type statement struct {
	name    string
	fields  []pgconn.FieldDescription
	formats []int16
	layout  any // of whoever reads it
}

// sink takes a result. Layout is called before the first row with the columns, and says in which
// format each is wanted, where not all come as text; what it returns is kept with the prepared
// statement and given to Row.
type sink interface {
	Layout(fields []pgconn.FieldDescription, allText bool) (layout any, formats []int16)
	Row(layout any, values [][]byte) error
}

// settings of every session with PostgreSQL. Plans are made once and are small: compiling them
// would cost more than it saves. Whatever a collector says, it changes nothing.
const settings = "SET jit = off; SET default_transaction_read_only = on; SET client_encoding = 'UTF8'; SET lock_timeout = %d"

func openSession(ctx context.Context, config *pgconn.Config, simple, console bool, grace time.Duration) (*session, error) {
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, simple: simple || console, console: console, prepared: map[string]*statement{}, usedAt: time.Now(), grace: grace}
	if console {
		return s, nil
	}
	if err := s.exec(ctx, fmt.Sprintf(settings, lockTimeout.Milliseconds())); err != nil {
		s.close()
		return nil, fmt.Errorf("prepare the session: %w", err)
	}
	return s, nil
}

func (s *session) exec(ctx context.Context, sql string) error {
	return s.conn.Exec(ctx, sql).Close()
}

// alive tells whether a connection that nobody used for a while still stands. One that does not is
// closed.
func (s *session) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, s.grace)
	defer cancel()
	if s.exec(ctx, "") == nil {
		return true
	}
	s.close()
	return false
}

// closed tells whether the connection is of no use any more.
func (s *session) closed() bool { return s.conn.IsClosed() }

// close says goodbye; a server that does not listen is left without.
func (s *session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_ = s.conn.Close(ctx) // there is nobody to tell
}

// query runs a query and gives each row to the sink. An error leaves the session usable unless it
// is closed.
func (s *session) query(ctx context.Context, sql string, l limits, to sink) error {
	s.usedAt = time.Now()
	if l.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.timeout+s.grace)
		defer cancel()
	}
	if err := s.set(ctx, l); err != nil {
		return err
	}
	if s.simple {
		return s.querySimple(ctx, sql, to)
	}
	err := s.queryPrepared(ctx, sql, to)
	if isStale(err) { // something the plan was made for has changed: once more, from the start
		s.forget(ctx, sql)
		err = s.queryPrepared(ctx, sql, to)
	}
	if several(err) {
		err = s.querySimple(ctx, sql, to)
	}
	return err
}

// set tells the server the limits, if they differ from what it knows.
func (s *session) set(ctx context.Context, l limits) error {
	if l == s.limits || s.console {
		return nil
	}
	path := "RESET search_path"
	if l.confined {
		path = "SET search_path = pg_catalog"
	}
	if err := s.exec(ctx, "SET statement_timeout = "+strconv.FormatInt(l.timeout.Milliseconds(), 10)+"; "+path); err != nil {
		return err
	}
	s.limits = l
	return nil
}

func (s *session) queryPrepared(ctx context.Context, sql string, to sink) error {
	st := s.prepared[sql]
	if st == nil {
		name := "s" + strconv.Itoa(len(s.prepared)+1)
		description, err := s.conn.Prepare(ctx, name, sql, nil)
		if err != nil {
			return err
		}
		st = &statement{name: name, fields: description.Fields}
		st.layout, st.formats = to.Layout(st.fields, false)
		s.prepared[sql] = st
	}
	return read(s.conn.ExecPrepared(ctx, st.name, nil, nil, st.formats), st.layout, to)
}

func (s *session) querySimple(ctx context.Context, sql string, to sink) error {
	results := s.conn.Exec(ctx, sql)
	var failure error
	for results.NextResult() {
		r := results.ResultReader()
		if len(r.FieldDescriptions()) == 0 {
			continue // a statement without a result, before the one that has it
		}
		layout, _ := to.Layout(r.FieldDescriptions(), true)
		failure = errors.Join(failure, read(r, layout, to))
	}
	return errors.Join(results.Close(), failure)
}

// read takes all rows, even those behind one that cannot be read, so that the connection stays in
// step.
func read(r *pgconn.ResultReader, layout any, to sink) error {
	var failure error
	for r.NextRow() {
		if failure == nil {
			failure = to.Row(layout, r.Values())
		}
	}
	if _, err := r.Close(); err != nil {
		return err
	}
	return failure
}

// forget drops a prepared statement. Its place in the count stays taken, so that names do not
// come again.
func (s *session) forget(ctx context.Context, sql string) {
	if st := s.prepared[sql]; st != nil {
		_ = s.conn.Deallocate(ctx, st.name) // what matters is that the name is not used again
		delete(s.prepared, sql)
		s.prepared["\x00"+st.name] = st
	}
}

// isStale tells whether a prepared statement does not fit any more: its result would have other
// columns, or somebody has deallocated it.
func isStale(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "0A000" && strings.Contains(e.Message, "cached plan") || e.Code == "26000")
}

// several tells whether a query is more than one statement, which only the simple protocol takes.
func several(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "42601" && strings.Contains(e.Message, "multiple commands")
}

// rows gathers a small result as text.
type rows [][]string

func (*rows) Layout([]pgconn.FieldDescription, bool) (any, []int16) { return nil, nil }

func (r *rows) Row(_ any, values [][]byte) error {
	row := make([]string, len(values))
	for i, v := range values {
		row[i] = string(v)
	}
	*r = append(*r, row)
	return nil
}

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
//
// What limits a statement on our side is a deadline of the connection: a context that ends would
// have a goroutine wait for it with every statement, which costs more than most of them.
type session struct {
	conn     *pgconn.PgConn
	life     context.Context // ends everything
	forsake  func() bool     // stops waiting for the end of life
	simple   bool            // no prepared statements: pgBouncer's console, or a pool in between
	console  bool            // pgBouncer's console, which knows no settings of a session
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
	*pgconn.StatementDescription
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

// openSession connects before the context ends. The session breaks off what it does when life ends.
func openSession(ctx, life context.Context, config *pgconn.Config, simple, console bool, grace time.Duration) (*session, error) {
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, life: life, simple: simple || console, console: console, prepared: map[string]*statement{}, usedAt: time.Now(), grace: grace}
	s.forsake = context.AfterFunc(life, func() { _ = conn.Conn().SetDeadline(time.Unix(1, 0)) }) // of no use any more if it cannot be set
	if console {
		return s, nil
	}
	until, _ := ctx.Deadline()
	if err := s.within(until, func() error { return s.exec(fmt.Sprintf(settings, lockTimeout.Milliseconds())) }); err != nil {
		s.close()
		return nil, fmt.Errorf("prepare the session: %w", err)
	}
	return s, nil
}

// within does something with the connection until a moment, a zero one meaning for ever.
func (s *session) within(until time.Time, do func() error) error {
	if err := s.conn.Conn().SetDeadline(until); err != nil {
		s.close()
		return err
	}
	if s.life.Err() != nil { // it may have ended before the deadline was set
		s.close()
		return s.life.Err()
	}
	err := do()
	if s.closed() { // pgx has given it up, and sees to the rest
		s.forsake()
		return err
	}
	return errors.Join(err, s.conn.Conn().SetDeadline(time.Time{}))
}

func (s *session) exec(sql string) error {
	return s.conn.Exec(context.Background(), sql).Close()
}

// alive tells whether a connection that nobody used for a while still stands. One that does not is
// closed.
func (s *session) alive() bool {
	if s.within(time.Now().Add(s.grace), func() error { return s.exec("") }) == nil {
		return true
	}
	s.close()
	return false
}

// closed tells whether the connection is of no use any more.
func (s *session) closed() bool { return s.conn.IsClosed() }

// close says goodbye; a server that does not listen is left without.
func (s *session) close() {
	s.forsake()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_ = s.conn.Conn().SetDeadline(time.Time{}) // which the end of life has set
	_ = s.conn.Close(ctx)                      // there is nobody to tell
}

// query runs a query and gives each row to the sink. An error leaves the session usable unless it
// is closed.
func (s *session) query(sql string, l limits, to sink) error {
	s.usedAt = time.Now()
	var until time.Time
	if l.timeout > 0 {
		until = s.usedAt.Add(l.timeout + s.grace)
	}
	return s.within(until, func() error { return s.ask(sql, l, to) })
}

func (s *session) ask(sql string, l limits, to sink) error {
	if err := s.set(l); err != nil {
		return err
	}
	if s.simple {
		return s.querySimple(sql, to)
	}
	err := s.queryPrepared(sql, to)
	if isStale(err) { // something the plan was made for has changed: once more, from the start
		s.forget(sql)
		err = s.queryPrepared(sql, to)
	}
	if several(err) {
		err = s.querySimple(sql, to)
	}
	return err
}

// set tells the server of the limits what it does not know yet.
func (s *session) set(l limits) error {
	if l == s.limits || s.console {
		return nil
	}
	var news []string
	if l.timeout != s.limits.timeout {
		news = append(news, "SET statement_timeout = "+strconv.FormatInt(l.timeout.Milliseconds(), 10))
	}
	if l.confined && !s.limits.confined {
		news = append(news, "SET search_path = pg_catalog")
	} else if !l.confined && s.limits.confined {
		news = append(news, "RESET search_path")
	}
	if err := s.exec(strings.Join(news, "; ")); err != nil {
		return err
	}
	s.limits = l
	return nil
}

func (s *session) queryPrepared(sql string, to sink) error {
	st := s.prepared[sql]
	if st == nil {
		name := "s" + strconv.Itoa(len(s.prepared)+1)
		description, err := s.conn.Prepare(context.Background(), name, sql, nil)
		if err != nil {
			return err
		}
		st = &statement{StatementDescription: description}
		st.layout, st.formats = to.Layout(st.Fields, false)
		s.prepared[sql] = st
	}
	return read(s.conn.ExecStatement(context.Background(), st.StatementDescription, nil, nil, st.formats), st.layout, to)
}

func (s *session) querySimple(sql string, to sink) error {
	results := s.conn.Exec(context.Background(), sql)
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
func (s *session) forget(sql string) {
	if st := s.prepared[sql]; st != nil {
		_ = s.conn.Deallocate(context.Background(), st.Name) // what matters is that the name is not used again
		delete(s.prepared, sql)
		s.prepared["\x00"+st.Name] = st
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

// Package ledger writes numbered rows to a database while something happens to it, and holds what
// was acknowledged against what is in the table afterwards: what was lost, what is there twice, how
// long clients had to do without, and which server answered them.
package ledger

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Client is one program that uses the database: it writes rows, or reads, one after the other.
type Client struct {
	Name string
	Read bool // it reads; else it writes
	// Targets are where it connects to, in turn: after an error it goes on with the next.
	Targets []*pgx.ConnConfig
}

// Options are how a ledger works. Zero fields mean their defaults.
type Options struct {
	Table    string        // that rows go to, quoted as SQL wants it; has a column n of type bigint
	Pace     time.Duration // from one try to the next; 50 ms. After an error the next try comes at once
	Patience time.Duration // for one try, with its connection; 2 s
}

// breath is the pause after an error, so that refusals that come at once make no busy loop.
const breath = 25 * time.Millisecond

// Ledger is clients at work, and what they know.
type Ledger struct {
	o       Options
	began   time.Time
	stop    context.CancelFunc
	running sync.WaitGroup
	workers []*worker
}

// Start lets clients work until Stop. Every number is tried once and by one client, so a row that
// is there twice was written by somebody else.
func Start(clients []Client, o Options) *Ledger {
	if o.Pace == 0 {
		o.Pace = 50 * time.Millisecond
	}
	if o.Patience == 0 {
		o.Patience = 2 * time.Second
	}
	ctx, stop := context.WithCancel(context.Background())
	l := &Ledger{o: o, began: time.Now(), stop: stop}
	for i, c := range clients {
		w := &worker{Client: c, o: o, first: int64(i), step: int64(len(clients))}
		l.workers = append(l.workers, w)
		l.running.Go(func() { w.run(ctx) })
	}
	return l
}

// Stop lets every client finish the try it is at. It may be called again.
func (l *Ledger) Stop() {
	l.stop()
	l.running.Wait()
}

// Tracks are what the clients know so far, in the order in which they were given.
func (l *Ledger) Tracks() []Track {
	var all []Track
	for _, w := range l.workers {
		all = append(all, w.track())
	}
	return all
}

// Wait returns when every client was served in a try that it began after the given time.
func (l *Ledger) Wait(ctx context.Context, since time.Time) error {
	for _, w := range l.workers {
		for !w.servedSince(since) {
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s was not served for %.1f s: %s", w.Name, time.Since(since).Seconds(), w.lastError())
			case <-time.After(breath):
			}
		}
	}
	return nil
}

// worker is a client at work.
type worker struct {
	Client
	o           Options
	first, step int64 // its numbers: first, first + step …

	conn *pgx.Conn
	at   int // of Targets

	mu      sync.Mutex
	entries []Entry
}

func (w *worker) run(ctx context.Context) {
	defer w.hangUp()
	for n := w.first; ctx.Err() == nil; n += w.step {
		begun := time.Now()
		rest := w.o.Pace
		if e := w.try(ctx, n); e.Outcome != Acknowledged {
			w.hangUp()
			w.at++
			rest = 0
		}
		rest = max(breath, rest-time.Since(begun))
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
	}
}

// try makes one entry. It does not end with the ledger: the last number is acknowledged or not like
// any other.
func (w *worker) try(ctx context.Context, n int64) Entry {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.o.Patience)
	defer cancel()
	e := Entry{Number: n, Sent: time.Now()}
	err := w.connect(ctx)
	if err == nil {
		e.Sent = time.Now() // what is before cannot have written anything
		e.Server, err = w.ask(ctx, n)
		e.Outcome = outcome(err, w.Read)
	} else {
		e.Outcome = Failed
	}
	e.Ended = time.Now()
	if err != nil {
		e.Error = reason(err)
	}
	w.mu.Lock()
	w.entries = append(w.entries, e)
	w.mu.Unlock()
	return e
}

func (w *worker) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := pgx.ConnectConfig(ctx, w.Targets[w.at%len(w.Targets)])
	w.conn = conn
	return err
}

// hangUp leaves a connection, and does not wait for a server that has gone.
func (w *worker) hangUp() {
	if w.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_ = w.conn.Close(ctx)
	w.conn = nil
}

// SQL expressions by which servers are told apart. Any user may evaluate them.
const (
	// Identity is when the server was started, in microseconds since 1970.
	Identity = "(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint"
	// WriteTimeline is the timeline that a primary writes on; an error on a replica.
	WriteTimeline = "('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint"
	// writePosition is how far the primary has written its log, in bytes.
	writePosition = "(pg_current_wal_insert_lsn() - '0/0')::bigint"
)

// ask writes or reads, by the simple protocol, which every pool mode understands.
func (w *worker) ask(ctx context.Context, n int64) (Server, error) {
	var s Server
	if w.Read {
		sql := "SELECT " + Identity + ", 0, EXISTS (SELECT FROM " + w.o.Table + ")"
		var any bool
		err := w.conn.QueryRow(ctx, sql, pgx.QueryExecModeSimpleProtocol).Scan(&s.Started, &s.Timeline, &any)
		return s, err
	}
	sql := "INSERT INTO " + w.o.Table + " (n) VALUES ($1) RETURNING " + Identity + ", " + WriteTimeline + ", " + writePosition
	rows, err := w.conn.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol, n)
	if err != nil {
		return s, err
	}
	// To the end: what counts is the word that comes after the commit.
	_, err = pgx.ForEachRow(rows, []any{&s.Started, &s.Timeline, &s.Position}, func() error { return nil })
	if tag := rows.CommandTag(); err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("answer %q", tag)
	}
	return s, err
}

func (w *worker) track() Track {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Track{Name: w.Name, Read: w.Read, Entries: slices.Clone(w.entries)}
}

func (w *worker) servedSince(since time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range slices.Backward(w.entries) {
		if e.Sent.Before(since) {
			return false
		}
		if e.Outcome == Acknowledged {
			return true
		}
	}
	return false
}

func (w *worker) lastError() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range slices.Backward(w.entries) {
		if e.Error != "" {
			return e.Error
		}
	}
	return "nothing was tried"
}

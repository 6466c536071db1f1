// Package traffic is the load of a cluster's services: clients that do short transactions without
// a pause and note every one that fails, and the longest time that a client waited.
package traffic

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Kind is what a client does.
type Kind string

const (
	// Writer inserts a row in a transaction of three statements, over one connection.
	Writer Kind = "writer"
	// Prepared does the same with prepared statements.
	Prepared Kind = "prepared"
	// Caller does the same over a new connection each time.
	Caller Kind = "caller"
	// Reader reads, over one connection.
	Reader Kind = "reader"
)

// Table is what writers write to. Its rows say who wrote them.
const Table = "load"

// Client is one client: a name of its own, what it does, and where, as a connection string.
type Client struct {
	Name   string
	Kind   Kind
	Target string
}

// Report is what became of a client's transactions.
type Report struct {
	Client
	Done   int           // acknowledged
	Failed []string      // what went wrong, and when
	Waited time.Duration // the longest time it took to get one done, failed attempts before it included
	trying time.Time     // since when it tries to; zero after one was acknowledged
}

// Load is clients at work.
type Load struct {
	stop    context.CancelFunc
	running sync.WaitGroup
	mu      sync.Mutex
	reports []Report
}

// Prepare makes the table anew, by a connection string.
func Prepare(ctx context.Context, target string) error {
	conn, err := pgx.Connect(ctx, target)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "DROP TABLE IF EXISTS "+Table+"; CREATE TABLE "+Table+" (who text NOT NULL)", pgx.QueryExecModeSimpleProtocol)
	return err
}

// Start has the clients begin; they go on until Stop.
func Start(clients []Client) *Load {
	ctx, stop := context.WithCancel(context.Background())
	l := &Load{stop: stop, reports: make([]Report, len(clients))}
	for i, c := range clients {
		l.reports[i].Client = c
		l.running.Go(func() { l.run(ctx, i) })
	}
	return l
}

// Reset forgets what was so far, and returns it.
func (l *Load) Reset() []Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := slices.Clone(l.reports)
	for i := range l.reports {
		l.reports[i] = Report{Client: l.reports[i].Client, trying: l.reports[i].trying}
	}
	return before
}

// Stop ends all clients after the transaction they are at.
func (l *Load) Stop() []Report {
	l.stop()
	l.running.Wait()
	return l.Reset()
}

// patience is what a transaction may take before it counts as failed.
const patience = 30 * time.Second

// breath is the pause between two transactions: without any, clients take all of the processor.
const breath = 10 * time.Millisecond

func (l *Load) run(ctx context.Context, i int) {
	c := l.reports[i].Client
	var conn *pgx.Conn
	for ctx.Err() == nil {
		began := time.Now()
		err := c.once(&conn)
		if err != nil || c.Kind == Caller {
			hangUp(&conn)
		}
		l.note(i, began, err)
		time.Sleep(breath)
	}
	hangUp(&conn)
}

func (l *Load) note(i int, began time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &l.reports[i]
	if r.trying.IsZero() {
		r.trying = began
	}
	r.Waited = max(r.Waited, time.Since(r.trying))
	if err == nil {
		r.Done, r.trying = r.Done+1, time.Time{}
		return
	}
	r.Failed = append(r.Failed, fmt.Sprintf("%s, after %.2f s: %v", time.Now().Format("15:04:05.000"), time.Since(began).Seconds(), err))
}

func hangUp(conn **pgx.Conn) {
	if *conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = (*conn).Close(ctx) // the server may have gone
	*conn = nil
}

// once is one transaction. It does not end with the load: the last one is acknowledged or not like
// any other.
func (c Client) once(conn **pgx.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if *conn == nil {
		config, err := pgx.ParseConfig(c.Target)
		if err != nil {
			return err
		}
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		if c.Kind == Prepared {
			config.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
		}
		if *conn, err = pgx.ConnectConfig(ctx, config); err != nil {
			return err
		}
	}
	if c.Kind == Reader {
		var n int64
		return (*conn).QueryRow(ctx, "SELECT count(*) FROM pg_class").Scan(&n)
	}
	return pgx.BeginFunc(ctx, *conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO "+Table+" VALUES ($1)", c.Name)
		return err
	})
}

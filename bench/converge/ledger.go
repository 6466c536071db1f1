package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// late is how long a write may take before somebody calls it delayed.
const late = 100 * time.Millisecond

// ledger writes through the primary service of two nodes for as long as it is open.
type ledger struct {
	stop    context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	entries []entry
}

type entry struct {
	began, ended time.Time
	failed       bool
}

// writes are what became of writes in a window of time.
type writes struct {
	all, failed, delayed int
	longest              time.Duration
}

func (w *writes) add(o writes) {
	w.all += o.all
	w.failed += o.failed
	w.delayed += o.delayed
	w.longest = max(w.longest, o.longest)
}

func openLedger(ctx context.Context, l *lab) (*ledger, error) {
	target := func(host string) string {
		return fmt.Sprintf("postgres://test:test@%s%s:5433/test?sslmode=require&connect_timeout=5", l.net, host)
	}
	conn, err := pgx.Connect(ctx, target("11"))
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE TABLE ledger (writer int, n int, at timestamptz DEFAULT now())", pgx.QueryExecModeSimpleProtocol); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	b := &ledger{stop: stop}
	for i, host := range []string{"11", "12"} {
		b.running.Go(func() { b.write(ctx, target(host), i) })
	}
	time.Sleep(time.Second) // until the pool has its connections
	return b, nil
}

func (b *ledger) close() {
	b.stop()
	b.running.Wait()
}

// write adds a row every ten milliseconds. A connection that failed is replaced.
func (b *ledger) write(ctx context.Context, target string, writer int) {
	var conn *pgx.Conn
	for n := 0; ctx.Err() == nil; n++ {
		e := entry{began: time.Now()}
		var err error
		if conn == nil {
			conn, err = pgx.Connect(ctx, target)
		}
		if err == nil {
			_, err = conn.Exec(ctx, "INSERT INTO ledger VALUES ($1, $2)", pgx.QueryExecModeSimpleProtocol, writer, n)
		}
		if ctx.Err() != nil {
			break
		}
		e.ended, e.failed = time.Now(), err != nil
		b.mu.Lock()
		b.entries = append(b.entries, e)
		b.mu.Unlock()
		if err != nil && conn != nil {
			conn.Close(ctx)
			conn = nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	if conn != nil {
		conn.Close(context.WithoutCancel(ctx))
	}
}

// open begins a window.
func (b *ledger) open() time.Time { return time.Now() }

// count ends a window: every write that was under way in it counts, those of its last moment
// once they have ended.
func (b *ledger) count(from time.Time) writes {
	to := time.Now()
	time.Sleep(2 * late)
	b.mu.Lock()
	defer b.mu.Unlock()
	var w writes
	for _, e := range b.entries {
		if e.ended.Before(from) || e.began.After(to) {
			continue
		}
		took := e.ended.Sub(e.began)
		w.all++
		w.longest = max(w.longest, took)
		switch {
		case e.failed:
			w.failed++
		case took > late:
			w.delayed++
		}
	}
	return w
}

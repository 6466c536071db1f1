//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// ledger writes numbered rows through a service for as long as a test breaks things, and holds
// what was acknowledged against what is in the table at the end. Every number is tried once, so
// one that is there twice was written by somebody else.
type ledger struct {
	t       *testing.T
	table   string
	writers []*writer
	stop    context.CancelFunc
	running sync.WaitGroup
}

// pace is the pause between two writes of a writer, and patience what one attempt may take: after
// that the writer goes on with the next number and the next address.
const (
	pace     = 20 * time.Millisecond
	patience = 2 * time.Second
)

// writer is one client, with the addresses it tries in turn.
type writer struct {
	name    string
	targets []string // connection strings
	step    int64    // distance of its numbers, so that writers share none

	mu     sync.Mutex
	begun  map[int64]time.Time // every number that was tried, and when
	acked  map[int64]time.Time
	failed map[string]int // what went wrong, and how often
}

// startLedger makes the table as the login says and starts a writer for each list of addresses,
// such as "11:5433": the last number of a node's address, and a port.
func startLedger(s *site, l login, clients map[string][]string) *ledger {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	g := &ledger{t: s.t, table: "ledger", stop: stop}
	s.t.Cleanup(g.end)
	conn := s.mustConnect(l)
	ddl := "DROP TABLE IF EXISTS " + g.table + "; CREATE TABLE " + g.table + " (n bigint NOT NULL)"
	if _, err := conn.Exec(ctx, ddl, pgx.QueryExecModeSimpleProtocol); err != nil {
		s.t.Fatal(err)
	}
	for i, name := range slices.Sorted(maps.Keys(clients)) {
		w := &writer{name: name, step: int64(len(clients)), begun: map[int64]time.Time{}, acked: map[int64]time.Time{}, failed: map[string]int{}}
		for _, address := range clients[name] {
			to := l
			to.host, to.port, _ = strings.Cut(address, ":")
			w.targets = append(w.targets, s.target(to))
		}
		g.writers = append(g.writers, w)
		g.running.Go(func() { w.run(ctx, g.table, int64(i)) })
	}
	return g
}

// run writes until ctx ends. A connection is kept while it serves, and left for the next address
// when it does not.
func (w *writer) run(ctx context.Context, table string, first int64) {
	var conn *pgx.Conn
	at := 0
	for n := first; ctx.Err() == nil; n += w.step {
		err := w.write(ctx, &conn, w.targets[at%len(w.targets)], table, n)
		if err != nil {
			at++
			if conn != nil {
				hangUp(conn)
				conn = nil
			}
		}
		w.note(n, err)
		time.Sleep(pace)
	}
	if conn != nil {
		hangUp(conn)
	}
}

func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_ = conn.Close(ctx) // the server may have gone
}

// write does not end with the ledger: the last number is acknowledged or not like any other.
func (w *writer) write(ctx context.Context, conn **pgx.Conn, target, table string, n int64) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	w.mu.Lock()
	w.begun[n] = time.Now()
	w.mu.Unlock()
	if *conn == nil {
		c, err := pgx.Connect(ctx, target)
		if err != nil {
			return err
		}
		*conn = c
	}
	tag, err := (*conn).Exec(ctx, "INSERT INTO "+table+" VALUES ($1)", pgx.QueryExecModeSimpleProtocol, n)
	if err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("answer %q", tag)
	}
	return err
}

func (w *writer) note(n int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.failed[reason(err)]++
		return
	}
	w.acked[n] = time.Now()
}

// reason is the innermost part of an error, without what differs from one time to the next.
func reason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return text
}

// writable waits until every writer had a write acknowledged that it began after this call.
func (g *ledger) writable() {
	g.t.Helper()
	g.writableWithin(2 * time.Minute)
}

func (g *ledger) writableWithin(limit time.Duration) {
	g.t.Helper()
	since := time.Now()
	for _, w := range g.writers {
		for !w.ackedSince(since) {
			if time.Since(since) > limit {
				g.t.Fatalf("writer %s has no write acknowledged for %s; so far: %v", w.name, limit, w.failures())
			}
			time.Sleep(pace)
		}
	}
}

func (w *writer) ackedSince(since time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := range w.acked {
		if w.begun[n].After(since) {
			return true
		}
	}
	return false
}

func (w *writer) failures() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.failed)
}

// gap is the longest time between two acknowledged writes, from since on.
func (w *writer) gap(since time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	times := slices.SortedFunc(maps.Values(w.acked), time.Time.Compare)
	longest, last := time.Duration(0), since
	for _, at := range append(times, time.Now()) {
		if at.After(last) {
			longest, last = max(longest, at.Sub(last)), at
		}
	}
	return longest
}

// told logs, for people, how long writers had to do without since then.
func (g *ledger) told(what string, since time.Time) {
	g.t.Helper()
	for _, w := range g.writers {
		g.t.Logf("%s: writer %s was without for %.1f s at most", what, w.name, w.gap(since).Seconds())
	}
}

// end stops the writers; it may be called again.
func (g *ledger) end() {
	g.stop()
	g.running.Wait()
}

// account is what became of the numbers.
type account struct {
	acknowledged, failed int
	lost                 []int64 // acknowledged, and not there
	doubled              []int64 // there more than once
	strange              []int64 // there, and never written
	late                 int     // there, though the writer was told nothing or an error
	errors               map[string]int
}

// close stops the writers and compares what they know with the table, read by the given login.
func (g *ledger) close(s *site, l login) account {
	g.t.Helper()
	g.end()
	conn, err := s.connect(l)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.compare(conn)
}

func (g *ledger) compare(conn *pgx.Conn) account {
	g.t.Helper()
	rows, err := conn.Query(g.t.Context(), "SELECT n, count(*) FROM "+g.table+" GROUP BY n", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		g.t.Fatal(err)
	}
	found := map[int64]int64{}
	var n, times int64
	_, err = pgx.ForEachRow(rows, []any{&n, &times}, func() error { found[n] = times; return nil })
	if err != nil {
		g.t.Fatal(err)
	}
	return tally(g.writers, found)
}

// tally holds the writers' numbers against how often the table has each.
func tally(writers []*writer, found map[int64]int64) account {
	a := account{errors: map[string]int{}}
	begun := map[int64]bool{}
	for _, w := range writers {
		w.mu.Lock()
		for n := range w.begun {
			begun[n] = true
			_, acked := w.acked[n]
			switch {
			case acked && found[n] == 0:
				a.lost = append(a.lost, n)
			case !acked && found[n] > 0:
				a.late++
			}
		}
		a.acknowledged += len(w.acked)
		a.failed += len(w.begun) - len(w.acked)
		for text, times := range w.failed {
			a.errors[text] += times
		}
		w.mu.Unlock()
	}
	for n, times := range found {
		if times > 1 {
			a.doubled = append(a.doubled, n)
		}
		if !begun[n] {
			a.strange = append(a.strange, n)
		}
	}
	return a
}

func (a account) String() string {
	return fmt.Sprintf("%d acknowledged, %d lost, %d doubled, %d from nowhere; %d failed, of which %d are there all the same; errors: %v",
		a.acknowledged, len(a.lost), len(a.doubled), len(a.strange), a.failed, a.late, a.errors)
}

// check fails the test unless everything acknowledged is there, once, and nothing else is.
func (a account) check(t *testing.T) {
	t.Helper()
	t.Log("ledger: " + a.String())
	if a.acknowledged == 0 || len(a.lost)+len(a.doubled)+len(a.strange) > 0 {
		t.Errorf("lost %v, doubled %v, from nowhere %v", a.lost, a.doubled, a.strange)
	}
}

// TestLedger shows that the ledger finds what it is there to find.
func TestLedger(t *testing.T) {
	now := time.Now()
	w := &writer{
		begun:  map[int64]time.Time{1: now, 2: now, 3: now, 4: now},
		acked:  map[int64]time.Time{1: now.Add(time.Second), 2: now.Add(4 * time.Second), 3: now.Add(5 * time.Second)},
		failed: map[string]int{"refused": 1},
	}
	a := tally([]*writer{w}, map[int64]int64{1: 1, 2: 2, 4: 1, 9: 1})
	if a.acknowledged != 3 || a.failed != 1 || a.late != 1 || !slices.Equal(a.lost, []int64{3}) ||
		!slices.Equal(a.doubled, []int64{2}) || !slices.Equal(a.strange, []int64{9}) {
		t.Errorf("it says %v", a)
	}
	if g := w.gap(now); g != 3*time.Second {
		t.Errorf("the longest gap is %s, and should be 3s", g)
	}
}

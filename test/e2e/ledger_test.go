//go:build e2e

package e2e

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/ledger"
)

// book is a ledger that is kept for as long as a test breaks things. Its writers pause for longer
// between two writes than a client can be without an answer unnoticed.
type book struct {
	t    *testing.T
	kept *ledger.Ledger
}

const (
	bookTable = "ledger"
	bookPace  = 20 * time.Millisecond
)

// startLedger makes the table as the login says and starts a writer for each list of addresses,
// such as "11:5433": the last number of a node's address, and a port.
func startLedger(s *site, l login, writers map[string][]string) *book {
	s.t.Helper()
	conn := s.mustConnect(l)
	ddl := "DROP TABLE IF EXISTS " + bookTable + "; CREATE TABLE " + bookTable + " (n bigint NOT NULL)"
	if _, err := conn.Exec(s.t.Context(), ddl, pgx.QueryExecModeSimpleProtocol); err != nil {
		s.t.Fatal(err)
	}
	var clients []ledger.Client
	for _, name := range slices.Sorted(maps.Keys(writers)) {
		c := ledger.Client{Name: name}
		for _, address := range writers[name] {
			to := l
			to.host, to.port, _ = strings.Cut(address, ":")
			config, err := pgx.ParseConfig(s.target(to))
			if err != nil {
				s.t.Fatal(err)
			}
			c.Targets = append(c.Targets, config)
		}
		clients = append(clients, c)
	}
	b := &book{s.t, ledger.Start(clients, ledger.Options{Table: bookTable, Pace: bookPace})}
	s.t.Cleanup(b.kept.Stop)
	return b
}

// writable waits until every writer had a write acknowledged that it began after this call.
func (b *book) writable() {
	b.t.Helper()
	b.writableWithin(2 * time.Minute)
}

func (b *book) writableWithin(limit time.Duration) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), limit)
	defer cancel()
	if err := b.kept.Wait(ctx, time.Now()); err != nil {
		b.t.Fatal(err)
	}
}

// told logs, for people, how long writers had to do without since then.
func (b *book) told(what string, since time.Time) {
	b.t.Helper()
	for _, track := range b.kept.Tracks() {
		b.t.Logf("%s: writer %s was without for %.1f s at most", what, track.Name, track.Longest(since, time.Now()).Length().Seconds())
	}
}

// close stops the writers and compares what they know with the table, read by the given login.
func (b *book) close(s *site, l login) ledger.Account {
	b.t.Helper()
	b.kept.Stop()
	conn, err := s.connect(l)
	if err != nil {
		b.t.Fatal(err)
	}
	a, err := b.kept.Compare(b.t.Context(), conn)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Log("ledger: " + a.String())
	if !a.Clean() {
		b.t.Errorf("lost %v, doubled %v, from nowhere %v", a.Lost, a.Doubled, a.Strange)
	}
	return a
}

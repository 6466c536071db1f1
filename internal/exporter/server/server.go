// Package server watches one PostgreSQL server or pgBouncer: it keeps the connections, runs the
// collectors when they are due, and writes what they found.
//
// A scrape looks at the server and waits for what is needed at once. Collectors whose results may
// be kept for a while are run shortly before the next scrape is expected, off its path.
package server

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pigsty/internal/exporter/collector"
	"pigsty/internal/exporter/series"
)

// Config is what to watch and how.
type Config struct {
	Conn       *pgconn.Config // the database of it speaks for the whole server
	Pgbouncer  bool           // the console of a pgBouncer
	Simple     bool           // no prepared statements: there is a pool in between
	Collectors *collector.Set
	Labels     []Label  // of every series
	Tags       []string // of the exporter
	Namespace  string   // of what is told of the server: pg or pgbouncer

	Discover bool     // other databases of the server
	Include  []string // only these; empty = all
	Exclude  []string // all but these

	NoCache     bool // run every collector at every scrape
	NoIntro     bool // tell of the server and not of the watching
	Connections int  // most to the server, at least 1
	Budget      int  // most series of one collector
	Log         *slog.Logger

	// Patience is how long the server may take to answer a question about itself, and to say after a
	// statement's timeout that it was too slow; default a second.
	Patience time.Duration
}

// Label is a label that every series has.
type Label struct{ Name, Value string }

// Server is what is watched.
type Server struct {
	config   Config
	constant []byte // labels
	main     *database
	mains    *pool // of one connection, so that nobody keeps the main database from having its own
	others   *pool

	ctx    context.Context // of everything that runs; ended by Close
	cancel context.CancelFunc
	work   sync.WaitGroup
	wake   chan struct{} // a scrape has ended

	mu        sync.Mutex
	plan      *plan
	databases map[string]*database // by name; the main one among them
	tops      map[string]*series.Top
	rhythm    rhythm
	found     time.Time // when databases were last looked for
	state     state
	totals    totals

	certificate certificate
}

// state is what is known of the server as a whole.
type state struct {
	alive    time.Time // when it last answered
	down     error     // why it does not; nil when it does, or was not asked yet
	looked   time.Time // when it was last asked whether it is in recovery
	version  int
	recovery bool
	fatal    error // of a fatal collector
}

// totals count since the start.
type totals struct {
	started, lastScrape     time.Time
	scrapes, failed, late   int
	lastTook                time.Duration
	reloads, reloadFailures int
}

// plan is the collectors in the form in which they are run.
type plan struct {
	readings []*reading
	families []*family
	schemas  bool // some collector depends on a schema or an extension
}

func newPlan(set *collector.Set) *plan {
	p := &plan{}
	for _, c := range set.All() {
		p.readings = append(p.readings, newReading(c))
		p.schemas = p.schemas || slices.ContainsFunc(c.Tags, func(tag string) bool {
			return strings.HasPrefix(tag, "schema:") || strings.HasPrefix(tag, "extension:")
		})
	}
	p.families = families(p.readings)
	return p
}

// New makes a server that is not connected yet: that happens at the first scrape or check. Close
// ends what it runs.
func New(config Config) *Server {
	config.Patience = cmp.Or(config.Patience, time.Second)
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		config: config, ctx: ctx, cancel: cancel, wake: make(chan struct{}, 1),
		mains: newPool(1), others: newPool(max(1, config.Connections-1)),
		databases: map[string]*database{}, tops: map[string]*series.Top{}, totals: totals{started: time.Now()},
	}
	var labels series.Labels
	labels.Reset(nil)
	for _, l := range config.Labels {
		labels.Add(l.Name, []byte(l.Value))
	}
	s.constant = slices.Clone(labels.Bytes())
	s.main = s.newDatabase(config.Conn.Database, true)
	s.databases[s.main.name] = s.main
	s.Use(config.Collectors)
	s.work.Go(s.ahead)
	return s
}

// Use replaces the collectors. Results and counts of those that are still there stay.
func (s *Server) Use(set *collector.Set) {
	next := newPlan(set)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plan != nil {
		s.totals.reloads++
	}
	s.plan = next
	tops := map[string]*series.Top{}
	for _, r := range next.readings {
		if r.Top != nil {
			tops[r.Branch] = series.NewTop(r.Top.Keep, r.weights())
		}
	}
	s.tops = tops
	for _, d := range s.databases {
		d.replan(next)
	}
}

// ReloadFailed counts a reload that was refused.
func (s *Server) ReloadFailed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.totals.reloadFailures++
}

// Close ends everything that runs and closes the connections.
func (s *Server) Close() {
	s.cancel()
	s.work.Wait()
	all := func(kept) bool { return true }
	s.mains.reap(all)
	s.others.reap(all)
}

// sorted gives the databases by name.
func (s *Server) sorted() []*database {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.databases), func(a, b *database) int { return strings.Compare(a.name, b.name) })
}

// wanted tells whether a database is one to look into.
func (s *Server) wanted(name string) bool {
	switch {
	case name == s.main.name:
		return true
	case len(s.config.Include) > 0:
		return slices.Contains(s.config.Include, name)
	}
	return !slices.Contains(s.config.Exclude, name)
}

// follow takes over which databases there are.
func (s *Server) follow(names []string) {
	s.mu.Lock()
	var gone []*database
	for name, d := range s.databases {
		if !d.main && !slices.Contains(names, name) {
			gone = append(gone, d)
			delete(s.databases, name)
			for _, top := range s.tops {
				top.Forget(name)
			}
		}
	}
	for _, name := range names {
		if s.databases[name] == nil && s.wanted(name) {
			s.databases[name] = s.newDatabase(name, false)
		}
	}
	s.found = time.Now()
	s.mu.Unlock()
	if len(gone) > 0 {
		s.others.reap(func(k kept) bool {
			return slices.ContainsFunc(gone, func(d *database) bool { return d.name == k.database })
		})
	}
}

// answered notes that the server is there.
func (s *Server) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.alive, s.state.down = time.Now(), nil
}

// lost notes that it is not.
func (s *Server) lost(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.down == nil {
		s.config.Log.Warn("the server does not answer", "error", err)
	}
	s.state.down = err
}

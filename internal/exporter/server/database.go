package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pigsty/internal/exporter/collector"
)

// Waits between attempts to connect. A server that refuses at once is cheap to ask again; one that
// lets us wait is asked more and more rarely.
const (
	retrySoon = 900 * time.Millisecond
	retryMost = 15 * time.Second
)

// factsFor is how long what was found in a database's catalog stays good.
const factsFor = time.Minute

// database is one database of the server and what was found in it. One goroutine at a time is at
// work in it, and only while there is something to do.
type database struct {
	server *Server
	name   string
	main   bool
	pool   *pool

	mu       sync.Mutex
	running  bool
	visits   []*visit             // asked for by somebody who waits
	later    map[string]time.Time // branches to refresh when nobody waits, and since when
	plan     *plan
	applies  []*reading
	results  map[string]*result
	facts    collector.Facts
	known    time.Time // when the facts were found; zero when not yet
	down     error     // why there is no connection
	retry    time.Time // when to try to connect again
	patience time.Duration

	predicates map[string]answer // by query
}

// visit is a wish to have the database looked at now.
type visit struct {
	collect bool // also run the collectors that a scrape cannot do without
	done    chan struct{}
}

// answer is what a predicate said.
type answer struct {
	yes bool
	at  time.Time
}

func (s *Server) newDatabase(name string, main bool) *database {
	d := &database{
		server: s, name: name, main: main, pool: s.others, plan: s.plan,
		later: map[string]time.Time{}, results: map[string]*result{}, predicates: map[string]answer{},
	}
	if main {
		d.pool = s.mains
	}
	return d
}

// replan makes the database forget what collectors applied.
func (d *database) replan(p *plan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plan, d.known, d.applies = p, time.Time{}, nil
	clear(d.later)
	kept := map[string]*result{}
	for _, r := range p.readings {
		if old := d.results[r.Branch]; old != nil {
			old.forget(r)
			kept[r.Branch] = old
		}
	}
	d.results = kept
}

// ask has the database looked at, and gives what is closed when that is done. Two who ask before
// it has begun share one visit.
func (d *database) ask(collect bool) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range d.visits {
		if v.collect == collect {
			return v.done
		}
	}
	v := &visit{collect: collect, done: make(chan struct{})}
	d.visits = append(d.visits, v)
	d.start()
	return v.done
}

// refresh has collectors run when nobody waits.
func (d *database) refresh(branches []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range branches {
		d.later[b] = time.Now()
	}
	if len(d.later) > 0 {
		d.start()
	}
}

// start begins the work unless somebody is at it; with the lock held.
func (d *database) start() {
	if d.running || d.server.ctx.Err() != nil {
		return
	}
	d.running = true
	d.server.work.Go(d.run)
}

// run does what was asked for until nothing is left: first what somebody waits for.
func (d *database) run() {
	var s *session
	defer func() { d.leave(s) }()
	for {
		v, r, done := d.next()
		if done {
			return
		}
		if s == nil || s.closed() {
			s = d.enter(s)
		}
		switch {
		case v != nil:
			s = d.serve(s, v)
			close(v.done)
		case s != nil:
			d.lookAtCatalog(s)
			if d.still(r) {
				d.collect(s, r)
			}
		}
	}
}

// serve makes a visit. A connection that broke while nobody used it is no news of the server: it
// is tried once more with a new one.
func (d *database) serve(s *session, v *visit) *session {
	for range 2 {
		if s == nil || d.visit(s, v) || !s.closed() {
			break
		}
		s = d.enter(s)
	}
	return s
}

// still tells whether a collector applies as it was chosen.
func (d *database) still(r *reading) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.applies, r)
}

// next takes the next piece of work. When there is none the goroutine that asked must end.
func (d *database) next() (v *visit, r *reading, done bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.visits) > 0 {
		v = d.visits[0]
		d.visits = d.visits[1:]
		return v, nil, false
	}
	for _, r := range d.applies {
		since, asked := d.later[r.Branch]
		delete(d.later, r.Branch)
		if last := d.results[r.Branch]; asked && (last == nil || last.tried.Add(last.took).Before(since)) {
			return nil, r, false // nobody has run it meanwhile
		}
	}
	clear(d.later)
	d.running = false
	return nil, nil, true
}

// enter gets a connection; nil when there is none.
func (d *database) enter(old *session) *session {
	if old != nil {
		d.pool.drop()
	}
	d.mu.Lock()
	wait := time.Until(d.retry) > 0
	d.mu.Unlock()
	if wait {
		return nil
	}
	s, err := d.pool.take(d.server.ctx, d.name)
	if err != nil || s != nil && (d.main || s.alive()) {
		return s
	}
	began := time.Now()
	s, err = d.connect()
	if err != nil {
		d.pool.drop()
		d.refused(err, time.Since(began))
		return nil
	}
	d.mu.Lock()
	d.down, d.patience = nil, 0
	d.mu.Unlock()
	return s
}

// leave gives the connection back; that of a database which is gone is closed, so that it does not
// keep somebody from dropping it.
func (d *database) leave(s *session) {
	if s == nil {
		return
	}
	d.server.mu.Lock()
	gone := d.server.databases[d.name] != d
	d.server.mu.Unlock()
	if gone {
		s.close()
	}
	d.pool.put(d.name, s)
}

func (d *database) connect() (*session, error) {
	config := d.server.config.Conn.Copy()
	config.Database = d.name
	ctx, cancel := context.WithTimeout(d.server.ctx, config.ConnectTimeout)
	defer cancel()
	return openSession(ctx, d.server.ctx, config, d.server.config.Simple, d.server.config.Pgbouncer, d.server.config.Patience)
}

// refused notes that there is no connection, and when to try again.
func (d *database) refused(err error, took time.Duration) {
	d.mu.Lock()
	first := d.down == nil
	d.down = err
	if d.patience = min(2*d.patience, retryMost); took < retrySoon || d.patience == 0 {
		d.patience = max(retrySoon, took)
	}
	d.retry = time.Now().Add(d.patience)
	d.mu.Unlock()
	if d.main {
		d.server.lost(err)
	} else if first && d.server.ctx.Err() == nil && !isGone(err) {
		d.server.config.Log.Warn("no connection to a database", "database", d.name, "error", err)
	}
}

// isGone tells whether a database was dropped since databases were last listed.
func isGone(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "3D000"
}

// visit looks at the server and the database, and runs what a scrape cannot do without. It is
// false when there was no answer.
func (d *database) visit(s *session, v *visit) bool {
	if !d.look(s) {
		return false
	}
	if !v.collect {
		return true
	}
	for _, r := range d.due() {
		if s.closed() {
			break // what could be had was had
		}
		if err := d.collect(s, r); err != nil && r.Fatal {
			break
		}
	}
	return true
}

// needs tells whether a scrape has to wait for this database.
func (d *database) needs(now state) bool {
	d.mu.Lock()
	known := !d.known.IsZero() && d.facts.Recovery == now.recovery && d.facts.Version == now.version
	waiting := time.Until(d.retry) > 0
	d.mu.Unlock()
	return !waiting && (!known || len(d.due()) > 0)
}

// due gives the collectors that a scrape waits for: those whose results are good for that scrape
// alone, those that never ran, those that the server broke off, and those that should have run long
// ago.
func (d *database) due() []*reading {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*reading
	now := time.Now()
	for _, r := range d.applies {
		last := d.results[r.Branch]
		if last == nil || last.tried.IsZero() {
			out = append(out, r)
			continue
		}
		good := last.good(d.server.ttl(r))
		if good > live {
			good *= 2
		}
		if now.Sub(last.tried) >= good {
			out = append(out, r)
		}
	}
	return out
}

// overdue gives the branches whose results are not good any more at a moment, and are refreshed
// off the path of scrapes; and how long that took last time.
func (d *database) overdue(at time.Time) (branches []string, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.applies {
		ttl := d.server.ttl(r)
		last := d.results[r.Branch]
		if ttl > live && (last == nil || at.Sub(last.tried) >= last.good(ttl)) {
			branches = append(branches, r.Branch)
			if last != nil {
				took += last.took
			}
		}
	}
	return branches, took
}

// live is the longest time to live of a collector that runs while a scrape waits.
const live = time.Second

// ttl is how long a collector's result is good.
func (s *Server) ttl(r *reading) time.Duration {
	if s.config.NoCache {
		return 0
	}
	return r.TTL
}

// explain makes an error one for people.
func explain(err error, timeout time.Duration) error {
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg) && pg.Code == "57014":
		return fmt.Errorf("took longer than its timeout of %s", timeout)
	case errors.As(err, &pg) && pg.Code == "55P03":
		return fmt.Errorf("waited longer than %s for a lock", lockTimeout)
	case errors.As(err, &pg):
		return fmt.Errorf("%s (SQLSTATE %s)", pg.Message, pg.Code)
	case late(err):
		return errors.New("the server did not answer in time; the connection is given up")
	}
	return err
}

// late tells whether an answer was not waited for any longer.
func late(err error) bool {
	netErr, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && netErr.Timeout()
}

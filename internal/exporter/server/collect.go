package server

import (
	"fmt"
	"slices"
	"time"

	"pigsty/internal/exporter/collector"
	"pigsty/internal/exporter/series"
)

// maxRows is how many rows of a result are taken; the rest is counted as dropped. A query that
// returns more tells nobody anything.
const maxRows = 200_000

// result is what a collector last found in a database, and how that went since the start.
type result struct {
	tried   time.Time // last attempt
	took    time.Duration
	err     error // of the last attempt
	at      time.Time
	table   *series.Table // nil when there is none
	series  int
	rows    int
	over    int // rows beyond maxRows
	missing []string
	skipped bool // a predicate said no
	broken  int  // attempts, the last ones, under which the server broke the connection
	runs    int
	errors  int
	skips   int
	of      *collector.Collector // the definition it belongs to
}

// forget drops what was found when the definition is another one now.
func (r *result) forget(now *reading) {
	if !now.Same(r.of) {
		r.table, r.series, r.rows, r.tried, r.err, r.broken = nil, 0, 0, time.Time{}, nil, 0
	}
	r.of = now.Collector
}

// retryBroken is how often a collector under which the server broke the connection is run again as soon
// as it is back: such a failure tells of the server, not of the collector. One that breaks it again
// waits like any other that fails.
const retryBroken = 1

// retryFailed is how long a failed run stands at most. A result that is good for an hour may be; that
// there is none is not.
const retryFailed = time.Minute

// good is how long an attempt that was made stands.
func (r *result) good(ttl time.Duration) time.Duration {
	switch {
	case r.broken > 0 && r.broken <= retryBroken:
		return 0
	case r.err != nil:
		return min(ttl, retryFailed)
	}
	return ttl
}

// attempt is one run of a collector.
type attempt struct {
	began  time.Time
	took   time.Duration
	wanted bool // its predicates said yes
	broken bool // the server broke the connection under it
	err    error
}

// collect runs one collector and keeps what it found.
func (d *database) collect(s *session, r *reading) error {
	f := r.filler(d.constant(r), maxRows)
	a := attempt{began: time.Now()}
	a.wanted, a.err = d.predicate(s, r)
	if a.err == nil && a.wanted {
		a.err = s.query(r.SQL(d.facts), r.limits(), f)
	}
	a.took = time.Since(a.began)
	if a.err != nil {
		a.broken = s.closed() && !late(a.err)
		a.err = explain(a.err, r.Timeout)
	}
	if !s.closed() {
		d.server.answered()
	} else if d.main && d.server.ctx.Err() == nil {
		d.server.lost(a.err)
	}
	f.table.Seal()
	d.keep(r, f, a)
	return a.err
}

// constant gives the labels that all series of a collector have. One that runs in each database and
// does not say in which gets a label for that: its series would be the same otherwise.
func (d *database) constant(r *reading) []byte {
	if !r.everywhere {
		return d.server.constant
	}
	var l series.Labels
	l.Reset(d.server.constant)
	l.Add("datname", []byte(d.name))
	return l.Bytes()
}

// predicate asks whether the collector is to run.
func (d *database) predicate(s *session, r *reading) (bool, error) {
	for _, p := range r.Predicates {
		if known, ok := d.predicates[p.Query]; ok && time.Since(known.at) < p.TTL {
			if !known.yes {
				return false, nil
			}
			continue
		}
		var said rows
		if err := s.query(p.Query, r.limits(), &said); err != nil {
			return false, fmt.Errorf("predicate %s: %w", p.Name, err)
		}
		if len(said) > 1 || len(said) == 1 && len(said[0]) != 1 {
			return false, fmt.Errorf("predicate %s: returned more than one value", p.Name)
		}
		yes := len(said) == 1 && (said[0][0] == "t" || said[0][0] == "\x01")
		d.predicates[p.Query] = answer{yes, time.Now()}
		if !yes {
			return false, nil
		}
	}
	return true, nil
}

// keep stores what was found. A failure leaves what was found before in place until that is too
// old.
func (d *database) keep(r *reading, f *filler, a attempt) {
	d.mu.Lock()
	if !slices.Contains(d.applies, r) { // there was a reload meanwhile
		d.mu.Unlock()
		return
	}
	res := d.results[r.Branch]
	if res == nil {
		res = &result{of: r.Collector}
		d.results[r.Branch] = res
	}
	was := res.err
	if a.broken {
		res.broken++
	} else {
		res.broken = 0
	}
	res.tried, res.took, res.err, res.skipped = a.began, a.took, a.err, !a.wanted && a.err == nil
	switch {
	case a.err != nil:
		res.errors++
	case !a.wanted:
		res.skips++
		res.table, res.series, res.rows = nil, 0, 0
	default:
		res.runs++
		res.at, res.table, res.series, res.rows = a.began, f.table, f.table.Series(), f.Rows
		res.over, res.missing = max(0, f.Rows-f.limit), f.Missing
	}
	d.mu.Unlock()
	d.server.weigh(d.name, r, f.table, a.err == nil && a.wanted)
	d.tell(r, was, a.err)
	if r.Fatal {
		d.server.mu.Lock()
		d.server.state.fatal = nil
		if a.err != nil {
			d.server.state.fatal = fmt.Errorf("collector %s failed: %w", r.Branch, a.err)
		}
		d.server.mu.Unlock()
	}
}

// weigh gives what was found to whoever chooses among rows.
func (s *Server) weigh(database string, r *reading, t *series.Table, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if top := s.tops[r.Branch]; top != nil && ok && s.databases[database] != nil {
		top.Update(database, t, time.Now())
	}
}

// tell logs when a collector begins to fail and when it works again.
func (d *database) tell(r *reading, was, err error) {
	log := d.server.config.Log.With("collector", r.Branch, "database", d.name)
	switch {
	case err != nil && was == nil && d.server.ctx.Err() == nil:
		log.Warn("a collector fails", "error", err)
	case err == nil && was != nil:
		log.Info("a collector works again")
	}
}

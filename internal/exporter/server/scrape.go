package server

import (
	"context"
	"io"
	"time"

	"pigsty/internal/exporter/series"
)

// Scrape looks at the server, runs what is due, and writes all metrics. When the context ends it
// stops waiting and writes what there is: what is still under way then is there for the next
// scrape. Asker tells scrapers apart, to learn when each comes.
func (s *Server) Scrape(ctx context.Context, asker string, to io.Writer) error {
	began := time.Now()
	s.mu.Lock()
	s.rhythm.heard(asker, began)
	s.mu.Unlock()
	s.gather(ctx)
	late := ctx.Err() != nil
	took := time.Since(began)
	s.mu.Lock()
	t := &s.totals
	t.scrapes++
	t.lastScrape, t.lastTook = began, took
	if late {
		t.late++
	}
	if s.state.gone(time.Now()) != nil {
		t.failed++
	}
	s.mu.Unlock()
	w := series.NewWriter(to)
	s.write(w, began)
	err := w.Close()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return err
}

// gather waits until everything that a scrape needs was tried, or the context ends.
func (s *Server) gather(ctx context.Context) {
	if !await(ctx, s.main.ask(true)) {
		return
	}
	s.mu.Lock()
	now := s.state
	s.mu.Unlock()
	if now.gone(time.Now()) != nil {
		return
	}
	var asked []<-chan struct{}
	for _, d := range s.sorted() {
		if !d.main && d.needs(now) {
			asked = append(asked, d.ask(true))
		}
	}
	// With more databases than connections they take turns, and a scrape takes what there is.
	if len(asked) > s.others.max {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, turnTimeout)
		defer cancel()
	}
	for _, done := range asked {
		if !await(ctx, done) {
			return
		}
	}
}

// turnTimeout is how long a scrape waits for databases that take turns.
const turnTimeout = time.Second

func await(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// found is what is written of one database.
type found struct {
	name   string
	tables map[*reading]*series.Table
	shown  map[*reading][]bool // rows that are written; nil = all
}

// write writes all metrics.
func (s *Server) write(w *series.Writer, began time.Time) {
	s.mu.Lock()
	plan, now := s.plan, s.state
	s.mu.Unlock()
	databases := s.sorted()
	var all []found
	if now.gone(time.Now()) == nil {
		for _, d := range databases {
			all = append(all, d.snapshot(plan, began, len(databases)))
		}
	}
	dropped := s.limit(plan, all)
	for _, f := range plan.families {
		f.write(w, all)
	}
	s.writeOwn(w, plan, databases, dropped)
}

// snapshot takes what a database has that is fresh enough.
func (d *database) snapshot(p *plan, began time.Time, databases int) found {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := found{name: d.name, tables: map[*reading]*series.Table{}, shown: map[*reading][]bool{}}
	for _, r := range d.applies {
		res := d.results[r.Branch]
		if res == nil || res.table == nil {
			continue
		}
		good := 2*d.server.ttl(r) + 2*time.Second
		if beyond := databases - 1 - d.pool.max; !d.main && beyond > 0 {
			good += 2 * time.Duration(beyond) * reopenEvery
		}
		if began.Sub(res.at) <= good {
			out.tables[r] = res.table
		}
	}
	return out
}

// limit chooses the rows that are written, and tells how many series of each collector are not.
func (s *Server) limit(p *plan, all []found) map[*reading]dropped {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[*reading]dropped{}
	for _, r := range p.readings {
		top, budget := s.tops[r.Branch], s.budget(r)
		left, sum := budget, dropped{}
		for i := range all {
			t := all[i].tables[r]
			if t == nil {
				continue
			}
			var chosen []bool
			if top != nil {
				chosen = top.Shown(all[i].name)
			}
			all[i].shown[r], left = choose(t, chosen, left, &sum)
		}
		if sum != (dropped{}) {
			out[r] = sum
		}
	}
	return out
}

func (s *Server) budget(r *reading) int {
	if r.Budget > 0 {
		return r.Budget
	}
	return s.config.Budget
}

// dropped is how many series of a collector are not written, and why not.
type dropped struct{ top, budget, duplicate int }

// choose gives the rows of a table that are written, nil for all, and what is left of a budget.
func choose(t *series.Table, chosen []bool, left int, sum *dropped) ([]bool, int) {
	sum.duplicate += t.Duplicates
	if len(chosen) != t.Rows() {
		chosen = nil // it is of an older result: all rows are new
	}
	if chosen == nil && t.Series() <= left {
		return nil, left - t.Series()
	}
	shown := make([]bool, t.Rows())
	for row := range shown {
		n := t.RowSeries(row)
		switch {
		case chosen != nil && !chosen[row]:
			sum.top += n
		case n > left:
			sum.budget += n
			left = 0 // those behind would be in only because they are small
		default:
			shown[row] = true
			left -= n
		}
	}
	return shown, left
}

func (f *family) write(w *series.Writer, all []found) {
	begun := false
	for _, m := range f.members {
		for _, d := range all {
			t := d.tables[m.reading]
			if t == nil {
				continue
			}
			if !begun {
				w.Family(f.name, f.kind, f.help)
				begun = true
			}
			m.write(w, f.name, t, d.shown[m.reading])
		}
	}
}

func (m member) write(w *series.Writer, name string, t *series.Table, shown []bool) {
	switch m.part {
	case bucketPart:
		w.Buckets(name, t, m.column)
	case sumPart:
		w.Sums(name, t, m.column)
	case countPart:
		w.Counts(name, t, m.column)
	default:
		for row := range t.Rows() {
			if v := t.Value(row, m.column); !series.IsAbsent(v) && (shown == nil || shown[row]) {
				w.Sample(name, t.Labels(row), v)
			}
		}
	}
}

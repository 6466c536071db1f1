package series

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// What keeps the choice of rows steady: a row that is in is displaced by one that weighs half as
// much again, at most a tenth of them at a time, and recent increase is forgotten by half in ten
// minutes.
const (
	margin   = 1.5
	portion  = 10
	halfLife = 10 * time.Minute
)

// Top chooses which rows of a collector are exposed when there are more than it may keep. A row
// weighs the sum of its shares: of each gauge its share of all rows' values, of each counter its
// share of all rows' recent increase. So a table that is large and one that is busy are both in.
//
// It is not for use by several goroutines at once.
type Top struct {
	keep    int
	by      Weights
	parts   map[string]*part // by database
	in      map[string]bool  // labels of the rows that are exposed
	changed bool
}

// part is what one database has last given.
type part struct {
	at    time.Time
	rows  []candidate
	known map[string]*history
	shown []bool
}

type candidate struct {
	key     string
	gauges  []float64
	history *history
	weight  float64
}

// history is what is remembered of the counters of a row.
type history struct {
	last   []float64
	recent []float64 // increase, faded
}

// Weights are the columns of a table that weigh.
type Weights struct{ Gauges, Counters []int }

// NewTop chooses at most that many rows by those columns.
func NewTop(keep int, by Weights) *Top {
	return &Top{keep: keep, by: by, parts: map[string]*part{}, in: map[string]bool{}}
}

// Update tells what a database has now.
func (t *Top) Update(database string, table *Table, now time.Time) {
	old := t.parts[database]
	next := &part{at: now, known: make(map[string]*history, table.Rows()), rows: make([]candidate, table.Rows())}
	fade := 0.0
	if old != nil {
		fade = math.Exp2(-now.Sub(old.at).Seconds() / halfLife.Seconds())
	}
	for row := range table.Rows() {
		c := candidate{key: string(table.Labels(row))}
		for _, column := range t.by.Gauges {
			c.gauges = append(c.gauges, number(table.Value(row, column)))
		}
		if old != nil {
			c.history = old.known[c.key]
		}
		c.history = t.follow(c.history, table, row, fade, old == nil)
		next.known[c.key] = c.history
		next.rows[row] = c
	}
	t.parts[database] = next
	t.changed = true
}

// follow brings the history of a row up to date. What was counted before the exporter looked for
// the first time counts as recent then: there is nothing better to begin with. A row that turns up
// later has all of its count from since the last look.
func (t *Top) follow(h *history, table *Table, row int, fade float64, first bool) *history {
	if h == nil {
		h = &history{last: make([]float64, len(t.by.Counters)), recent: make([]float64, len(t.by.Counters))}
	}
	for i, column := range t.by.Counters {
		v := number(table.Value(row, column))
		increase := v - h.last[i]
		if increase < 0 { // it was reset
			increase = v
		}
		if first {
			fade = 0
		}
		h.recent[i] = h.recent[i]*fade + increase
		h.last[i] = v
	}
	return h
}

// number is a value that can be added up.
func number(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return max(0, v)
}

// Forget drops a database.
func (t *Top) Forget(database string) {
	delete(t.parts, database)
	t.changed = true
}

// Shown tells of each row of what a database gave last whether it is exposed.
func (t *Top) Shown(database string) []bool {
	if t.changed {
		t.choose()
		t.changed = false
	}
	if p := t.parts[database]; p != nil {
		return p.shown
	}
	return nil
}

// choose decides anew.
func (t *Top) choose() {
	t.weigh()
	var members, others []*candidate
	for _, p := range t.parts {
		for i := range p.rows {
			if c := &p.rows[i]; t.in[c.key] {
				members = append(members, c)
			} else {
				others = append(others, c)
			}
		}
	}
	heavier := func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.key, b.key))
	}
	slices.SortFunc(members, heavier)
	slices.SortFunc(others, heavier)
	members = members[:min(len(members), t.keep)]
	free := min(t.keep-len(members), len(others))
	members, others = append(members, others[:free]...), others[free:]
	t.displace(members, others, free)
	t.in = make(map[string]bool, len(members))
	for _, c := range members {
		t.in[c.key] = true
	}
	t.mark()
}

// displace puts the heaviest that are out in place of the lightest that are in, where they are
// clearly heavier. The last of the members are new ones that took free places.
func (t *Top) displace(members, others []*candidate, fresh int) {
	settled := members[:len(members)-fresh]
	for i := range min(len(settled), len(others), max(1, t.keep/portion)) {
		last := len(settled) - 1 - i
		if others[i].weight <= settled[last].weight*margin {
			return
		}
		settled[last] = others[i]
	}
}

// weigh gives each candidate the sum of its shares.
func (t *Top) weigh() {
	gauges, counters := make([]float64, len(t.by.Gauges)), make([]float64, len(t.by.Counters))
	t.each(func(c *candidate) {
		for i, v := range c.gauges {
			gauges[i] += v
		}
		for i, v := range c.history.recent {
			counters[i] += v
		}
	})
	t.each(func(c *candidate) {
		c.weight = shares(c.gauges, gauges) + shares(c.history.recent, counters)
	})
}

func (t *Top) each(do func(*candidate)) {
	for _, p := range t.parts {
		for i := range p.rows {
			do(&p.rows[i])
		}
	}
}

func shares(values, sums []float64) float64 {
	weight := 0.0
	for i, v := range values {
		if sums[i] > 0 {
			weight += v / sums[i]
		}
	}
	return weight
}

func (t *Top) mark() {
	for _, p := range t.parts {
		p.shown = make([]bool, len(p.rows))
		for i := range p.rows {
			p.shown[i] = t.in[p.rows[i].key]
		}
	}
}

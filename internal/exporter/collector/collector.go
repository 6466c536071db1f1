// Package collector reads definitions of collectors in pg_exporter's YAML format and says which of
// them apply to a server.
//
// A collector is one query: each row it returns becomes a series for every column that is a
// metric, with the columns that are labels as its labels.
package collector

import (
	"reflect"
	"slices"
	"time"

	"pigsty/internal/diag"
)

// Usage is what becomes of a column.
type Usage string

// The usages of a column. Histogram counts the rows of a result into buckets; the others mean what
// Prometheus means by them. Discard is for columns that a query returns and nobody needs.
const (
	Label     Usage = "LABEL"
	Counter   Usage = "COUNTER"
	Gauge     Usage = "GAUGE"
	Histogram Usage = "HISTOGRAM"
	Discard   Usage = "DISCARD"
)

// DefaultTimeout is how long a query may take whose collector does not say.
const DefaultTimeout = time.Second

// Collector is one query and what becomes of its result.
type Collector struct {
	Branch string // key in the file, unique
	Name   string // what the names of its metrics begin with
	Desc   string
	Query  string

	Predicates []Predicate // all must say true for the query to run
	Tags       []string

	TTL        time.Duration // how long a result stays good; 0 = for one scrape
	Timeout    time.Duration // how long the query may take; negative = as long as the scrape
	MinVersion int           // first version it is for, as server_version_num; 0 = any
	MaxVersion int           // first version it is not for any more; 0 = none
	Fatal      bool          // when it fails, the server counts as down
	Skip       bool          // never run

	Columns []Column
	Builtin bool // ships with the exporter: runs with nothing in its search path but pg_catalog
	Top     *Top // which rows are exposed when there are many; nil = all
	Budget  int  // series it may have, over all databases; 0 = the exporter's

	Pos diag.Pos
}

// Predicate is a query that returns one boolean, and is asked before the collector's own.
type Predicate struct {
	Name  string
	Query string
	TTL   time.Duration // how long its answer stays good
}

// Column is one column of a query's result.
type Column struct {
	Name    string // in the result
	Rename  string // in the metric's or label's name; empty = Name
	Usage   Usage
	Desc    string
	Scale   float64   // what a value is multiplied by; 0 = nothing
	Default *float64  // what stands for NULL; nil = no series
	Buckets []float64 // upper bounds of a histogram, ascending, without +Inf
}

// Top keeps the rows of a result that matter most. It is an addition of ours to the format.
type Top struct {
	Keep int      // rows, over all databases
	By   []string // columns that weigh: a gauge by its value, a counter by its recent increase
}

// Same tells whether two collectors are defined alike, wherever that is.
func (c *Collector) Same(other *Collector) bool {
	if other == nil {
		return false
	}
	a, b := *c, *other
	a.Pos, b.Pos = diag.Pos{}, diag.Pos{}
	return reflect.DeepEqual(a, b)
}

// Cluster tells whether the collector runs once for a server rather than in each database.
func (c *Collector) Cluster() bool { return slices.Contains(c.Tags, "cluster") || c.Pgbouncer() }

// Pgbouncer tells whether the collector is for pgBouncer's console and not for PostgreSQL.
func (c *Collector) Pgbouncer() bool { return slices.Contains(c.Tags, "pgbouncer") }

// Metric is the name of the metric that a column becomes.
func (c *Collector) Metric(col Column) string { return c.Name + "_" + col.Alias() }

// Labels are the columns that are labels, in order.
func (c *Collector) Labels() []Column {
	return c.columns(func(u Usage) bool { return u == Label })
}

// Values are the columns that become one series for each row, in order.
func (c *Collector) Values() []Column {
	return c.columns(func(u Usage) bool { return u == Counter || u == Gauge })
}

// Histograms are the columns that are counted into buckets, in order.
func (c *Collector) Histograms() []Column {
	return c.columns(func(u Usage) bool { return u == Histogram })
}

func (c *Collector) columns(want func(Usage) bool) []Column {
	var out []Column
	for _, col := range c.Columns {
		if want(col.Usage) {
			out = append(out, col)
		}
	}
	return out
}

// Alias is the name that a column has outside: its own, or the one it was renamed to.
func (c Column) Alias() string {
	if c.Rename != "" {
		return c.Rename
	}
	return c.Name
}

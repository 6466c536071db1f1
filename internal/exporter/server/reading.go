package server

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"pigsty/internal/exporter/collector"
	"pigsty/internal/exporter/series"
)

// reading is a collector with what is worked out of it once.
type reading struct {
	*collector.Collector
	labels     []collector.Column
	values     []collector.Column
	histograms []collector.Column
	scales     []scale
	bounds     [][]float64
	everywhere bool // runs in each database, and has no label that says in which
}

func newReading(c *collector.Collector) *reading {
	r := &reading{Collector: c, labels: c.Labels(), values: c.Values(), histograms: c.Histograms()}
	r.everywhere = everywhere(c)
	for _, col := range r.values {
		r.scales = append(r.scales, newScale(col.Scale))
	}
	for _, col := range r.histograms {
		r.scales = append(r.scales, newScale(col.Scale))
		r.bounds = append(r.bounds, col.Buckets)
	}
	return r
}

// everywhere tells whether a collector runs in each database and does not say in which.
func everywhere(c *collector.Collector) bool {
	return !c.Cluster() &&
		!slices.ContainsFunc(c.Tags, func(tag string) bool { return strings.HasPrefix(tag, "dbname:") }) &&
		!slices.ContainsFunc(c.Labels(), func(col collector.Column) bool { return col.Alias() == "datname" })
}

// weights are the values that weigh in the choice of rows.
func (r *reading) weights() series.Weights {
	var out series.Weights
	for i, col := range r.values {
		switch {
		case !slices.Contains(r.Top.By, col.Name):
		case col.Usage == collector.Gauge:
			out.Gauges = append(out.Gauges, i)
		default:
			out.Counters = append(out.Counters, i)
		}
	}
	return out
}

func (r *reading) limits() limits {
	return limits{timeout: max(0, r.Timeout), confined: r.Builtin}
}

// scale multiplies, or for a thousandth or the like divides, which is exact where multiplying by
// 0.001 is not.
type scale struct{ times, by float64 }

func newScale(factor float64) scale {
	if factor == 0 || factor == 1 {
		return scale{}
	}
	if inverse := math.Round(1 / factor); math.Abs(factor) < 1 && math.Abs(inverse*factor-1) < 1e-12 {
		return scale{by: inverse}
	}
	return scale{times: factor}
}

func (s scale) apply(v float64) float64 {
	switch {
	case s.by != 0:
		return v / s.by
	case s.times != 0:
		return v * s.times
	}
	return v
}

// filler fills a table with the result of a collector's query.
type filler struct {
	*reading
	constant []byte // labels of all series
	table    *series.Table
	row      series.Labels
	numbers  []float64
	limit    int // rows
	Rows     int
	Missing  []string // columns that are described and that the query does not return
}

// layout says where in a row what is: indexes of fields, -1 for one that is missing.
type layout struct {
	labels  []int
	values  []int // of values, then of histograms
	decode  []decoder
	missing []string
}

func (r *reading) filler(constant []byte, limit int) *filler {
	return &filler{
		reading: r, constant: constant, limit: limit,
		table: series.NewTable(len(r.values), r.bounds...), numbers: make([]float64, len(r.values)),
	}
}

// Layout finds the columns. Labels are wanted as text, numbers as they are where we can read them.
func (f *filler) Layout(fields []pgconn.FieldDescription, allText bool) (any, []int16) {
	at := make(map[string]int, len(fields))
	for i, field := range fields {
		at[field.Name] = i
	}
	l, formats := &layout{}, make([]int16, len(fields))
	find := func(col collector.Column) int {
		i, ok := at[col.Name]
		if !ok {
			l.missing = append(l.missing, col.Name)
			return -1
		}
		return i
	}
	for _, col := range f.labels {
		l.labels = append(l.labels, find(col))
	}
	for _, group := range [][]collector.Column{f.values, f.histograms} {
		for _, col := range group {
			i, decode := find(col), decoder(parseText)
			if i >= 0 && !allText && binaryDecoders[fields[i].DataTypeOID] != nil {
				decode, formats[i] = binaryDecoders[fields[i].DataTypeOID], binaryFormat
			}
			l.values, l.decode = append(l.values, i), append(l.decode, decode)
		}
	}
	return l, formats
}

// Row adds a row to the table.
func (f *filler) Row(kept any, values [][]byte) error {
	l := kept.(*layout)
	f.Rows++
	f.Missing = l.missing
	if f.Rows > f.limit {
		return nil
	}
	f.row.Reset(f.constant)
	for i, at := range l.labels {
		if at >= 0 {
			f.row.Add(f.labels[i].Alias(), values[at])
		}
	}
	for i, at := range l.values {
		v, err := f.number(l, i, at, values)
		if err != nil {
			return err
		}
		if i < len(f.values) {
			f.numbers[i] = v
		} else {
			f.table.Observe(i-len(f.values), f.row.Bytes(), v)
		}
	}
	if len(f.values) > 0 {
		f.table.Add(f.row.Bytes(), f.numbers)
	}
	return nil
}

// number reads one value: NULL is the column's default, or no value.
func (f *filler) number(l *layout, i, at int, values [][]byte) (float64, error) {
	col := f.column(i)
	if at < 0 || values[at] == nil {
		if at < 0 || col.Default == nil {
			return series.Absent(), nil
		}
		return *col.Default, nil
	}
	v, err := l.decode[i](values[at])
	if err != nil {
		return 0, fmt.Errorf("column %s: %w", col.Name, err)
	}
	return f.scales[i].apply(v), nil
}

func (f *filler) column(i int) collector.Column {
	if i < len(f.values) {
		return f.values[i]
	}
	return f.histograms[i-len(f.values)]
}

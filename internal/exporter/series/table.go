// Package series holds what collectors returned and writes it in Prometheus' text format.
//
// A result is kept as its labels in one piece of memory and its numbers in another, and is turned
// into text while it is being sent: a server with ten thousand tables costs a few megabytes, and
// writing a series costs about as much as copying its name.
package series

import (
	"math"
	"slices"
)

// absent marks a value that the server did not give. It is a NaN that no server sends.
var absent = math.Float64frombits(0x7ff8_0000_dead_beef)

// Absent is a value that gives no series.
func Absent() float64 { return absent }

// IsAbsent tells whether a value is the one that Absent gives; other NaNs are values.
func IsAbsent(v float64) bool { return math.Float64bits(v) == math.Float64bits(absent) }

// Table is one result of one collector: rows of numbers, each with its labels. It is filled row by
// row and does not change afterwards.
type Table struct {
	width      int
	labels     []byte
	ends       []uint32 // where the labels of each row end
	values     []float64
	histograms []*Histogram

	keys       map[string]struct{} // while it is being filled
	Duplicates int                 // rows that were left out since an earlier one has the same labels
}

// NewTable makes a table for rows with that many values, and histograms with those upper bounds.
func NewTable(width int, bounds ...[]float64) *Table {
	t := &Table{width: width, keys: map[string]struct{}{}}
	for _, b := range bounds {
		t.histograms = append(t.histograms, newHistogram(b))
	}
	return t
}

// Add appends a row. Its labels are as [Labels.Bytes] gives them. A row whose labels another one
// has already is left out: Prometheus would refuse both.
func (t *Table) Add(labels []byte, values []float64) {
	if _, twice := t.keys[string(labels)]; twice {
		t.Duplicates++
		return
	}
	t.keys[string(labels)] = struct{}{}
	t.labels = append(t.labels, labels...)
	t.ends = append(t.ends, uint32(len(t.labels)))
	t.values = append(t.values, values...)
}

// Observe counts a value into the histogram with that index.
func (t *Table) Observe(histogram int, labels []byte, v float64) {
	t.histograms[histogram].observe(labels, v)
}

// Seal ends the filling and gives back what only that needed.
func (t *Table) Seal() {
	t.keys = nil
	t.labels, t.ends, t.values = slices.Clip(t.labels), slices.Clip(t.ends), slices.Clip(t.values)
}

// Rows is the number of rows.
func (t *Table) Rows() int { return len(t.ends) }

// Labels gives the labels of a row: `a="b",c="d"`, without braces.
func (t *Table) Labels(row int) []byte {
	begin := uint32(0)
	if row > 0 {
		begin = t.ends[row-1]
	}
	return t.labels[begin:t.ends[row]]
}

// Value gives a number of a row.
func (t *Table) Value(row, column int) float64 { return t.values[row*t.width+column] }

// Series is how many series all rows and histograms make.
func (t *Table) Series() int {
	n := 0
	for _, v := range t.values {
		if !IsAbsent(v) {
			n++
		}
	}
	for _, h := range t.histograms {
		n += h.series()
	}
	return n
}

// RowSeries is how many series a row makes.
func (t *Table) RowSeries(row int) int {
	n := 0
	for _, v := range t.values[row*t.width : (row+1)*t.width] {
		if !IsAbsent(v) {
			n++
		}
	}
	return n
}

package series

import (
	"io"
	"math"
	"strconv"
)

// flushAt is how much text is gathered before it is sent on.
const flushAt = 48 << 10

// Writer writes metrics in Prometheus' text format. All series of one metric are written between
// its Family and the next one's. The first error of the stream below stays; Close tells it.
type Writer struct {
	to     io.Writer
	buf    []byte
	err    error
	Series int // written so far
}

// NewWriter writes to a stream.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to, buf: make([]byte, 0, flushAt+4<<10)} }

// Family begins a metric. Kind is counter, gauge or untyped.
func (w *Writer) Family(name, kind, help string) {
	w.buf = append(w.buf, "# HELP "...)
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, ' ')
	for i := range len(help) {
		switch help[i] {
		case '\\':
			w.buf = append(w.buf, '\\', '\\')
		case '\n':
			w.buf = append(w.buf, ' ')
		default:
			w.buf = append(w.buf, help[i])
		}
	}
	w.buf = append(w.buf, "\n# TYPE "...)
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, ' ')
	w.buf = append(w.buf, kind...)
	w.buf = append(w.buf, '\n')
}

// Sample writes one series; labels are as [Labels.Bytes] gives them.
func (w *Writer) Sample(name string, labels []byte, v float64) {
	w.buf = append(w.buf, name...)
	if len(labels) > 0 {
		w.buf = append(w.buf, '{')
		w.buf = append(w.buf, labels...)
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, ' ')
	w.buf = AppendValue(w.buf, v)
	w.buf = append(w.buf, '\n')
	w.Series++
	if len(w.buf) >= flushAt {
		w.flush()
	}
}

// One writes a metric that has one series.
func (w *Writer) One(name, kind, help string, labels []byte, v float64) {
	w.Family(name, kind, help)
	w.Sample(name, labels, v)
}

// Buckets writes the buckets of a histogram of a table; Sums and Counts write what belongs to them,
// which are families of their own.
func (w *Writer) Buckets(name string, t *Table, histogram int) {
	h := t.histograms[histogram]
	var l Labels
	for _, labels := range h.order {
		sum := uint64(0)
		for i, n := range h.cells[labels].counts {
			bound := []byte("+Inf")
			if i < len(h.bounds) {
				bound = AppendValue(nil, h.bounds[i])
			}
			sum += n
			l.Reset([]byte(labels))
			l.Add("le", bound)
			w.Sample(name, l.Bytes(), float64(sum))
		}
	}
}

// Sums writes the sum of the values in each histogram.
func (w *Writer) Sums(name string, t *Table, histogram int) {
	h := t.histograms[histogram]
	for _, labels := range h.order {
		w.Sample(name, []byte(labels), h.cells[labels].sum)
	}
}

// Counts writes the number of the values in each histogram.
func (w *Writer) Counts(name string, t *Table, histogram int) {
	h := t.histograms[histogram]
	for _, labels := range h.order {
		sum := uint64(0)
		for _, n := range h.cells[labels].counts {
			sum += n
		}
		w.Sample(name, []byte(labels), float64(sum))
	}
}

// Close sends what is left and tells the first error.
func (w *Writer) Close() error {
	w.flush()
	return w.err
}

func (w *Writer) flush() {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.to.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// exact is up to where a float64 holds every whole number.
const exact = 1 << 53

// AppendValue writes a number as Prometheus reads it.
func AppendValue(to []byte, v float64) []byte {
	if v == math.Trunc(v) && v > -exact && v < exact {
		return strconv.AppendInt(to, int64(v), 10)
	}
	switch {
	case math.IsInf(v, 1):
		return append(to, "+Inf"...)
	case math.IsInf(v, -1):
		return append(to, "-Inf"...)
	}
	return strconv.AppendFloat(to, v, 'g', -1, 64)
}

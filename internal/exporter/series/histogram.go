package series

import "math"

// Histogram counts values into buckets, apart for each set of labels. What it holds is a picture
// of one moment and not a count since the start, so that it is exposed as gauges.
type Histogram struct {
	bounds []float64 // ascending, without +Inf
	order  []string  // labels, in the order of first observation
	cells  map[string]*cell
}

type cell struct {
	counts []uint64 // per bucket, not cumulative; the last is above all bounds
	sum    float64
}

func newHistogram(bounds []float64) *Histogram {
	return &Histogram{bounds: bounds, cells: map[string]*cell{}}
}

func (h *Histogram) observe(labels []byte, v float64) {
	if IsAbsent(v) || math.IsNaN(v) {
		return
	}
	c := h.cells[string(labels)]
	if c == nil {
		c = &cell{counts: make([]uint64, len(h.bounds)+1)}
		h.cells[string(labels)] = c
		h.order = append(h.order, string(labels))
	}
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	c.counts[i]++
	c.sum += v
}

// series is how many series it makes: the buckets with +Inf, the sum and the count.
func (h *Histogram) series() int { return len(h.order) * (len(h.bounds) + 3) }

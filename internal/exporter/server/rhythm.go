package server

import (
	"slices"
	"time"
)

// What is remembered of who asks: so many askers, so many intervals of each; intervals that are
// longer are no rhythm.
const (
	maxAskers   = 8
	maxMoments  = 6
	maxInterval = 5 * time.Minute
)

// rhythm learns when the next scrape will come. Each of several Prometheus servers has a beat of
// its own.
type rhythm struct{ askers map[string][]time.Time }

// heard notes a scrape.
func (r *rhythm) heard(asker string, at time.Time) {
	if r.askers == nil {
		r.askers = map[string][]time.Time{}
	}
	r.forget(at)
	if _, known := r.askers[asker]; !known && len(r.askers) >= maxAskers {
		return
	}
	moments := append(r.askers[asker], at)
	r.askers[asker] = moments[max(0, len(moments)-maxMoments):]
}

func (r *rhythm) forget(now time.Time) {
	for asker, moments := range r.askers {
		if now.Sub(moments[len(moments)-1]) > maxInterval {
			delete(r.askers, asker)
		}
	}
}

// next is when the next scrape is expected after a moment, and the interval it belongs to; zero
// when there is no rhythm yet.
func (r *rhythm) next(after time.Time) (at time.Time, interval time.Duration) {
	for _, moments := range r.askers {
		if len(moments) < 2 {
			continue
		}
		beat := median(moments)
		t := moments[len(moments)-1].Add(beat)
		if t.After(after) && (at.IsZero() || t.Before(at)) {
			at, interval = t, beat
		}
	}
	return at, interval
}

// last is when the latest scrape came.
func (r *rhythm) last() time.Time {
	var at time.Time
	for _, moments := range r.askers {
		if t := moments[len(moments)-1]; t.After(at) {
			at = t
		}
	}
	return at
}

func median(moments []time.Time) time.Duration {
	gaps := make([]time.Duration, len(moments)-1)
	for i := range gaps {
		gaps[i] = moments[i+1].Sub(moments[i])
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

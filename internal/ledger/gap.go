package ledger

import "time"

// Gap is a time in which a client was not served: from the last answer before it to the first one
// after it. A gap at the end has no answer after it: To is when the track was looked at.
type Gap struct {
	From, To time.Time
	Open     bool // it has not ended
}

// Length of the gap.
func (g Gap) Length() time.Duration { return g.To.Sub(g.From) }

// Gaps are the times longer than least without an answer, from since on until the given end.
func (t Track) Gaps(since, end time.Time, least time.Duration) []Gap {
	var gaps []Gap
	last := since
	for _, e := range t.Entries {
		if e.Outcome != Acknowledged || e.Ended.Before(since) {
			continue
		}
		if e.Ended.Sub(last) > least {
			gaps = append(gaps, Gap{From: last, To: e.Ended})
		}
		last = e.Ended
	}
	if end.Sub(last) > least {
		gaps = append(gaps, Gap{From: last, To: end, Open: true})
	}
	return gaps
}

// Longest is the longest gap from since on until the given end.
func (t Track) Longest(since, end time.Time) Gap {
	longest := Gap{From: since, To: since}
	for _, g := range t.Gaps(since, end, 0) {
		if g.Length() > longest.Length() {
			longest = g
		}
	}
	return longest
}

package drill

import (
	"slices"
	"time"
)

// overlap is a time in which two members were primary at once.
type overlap struct {
	from, to time.Time
	old, new string
	// writes are those that the old one acknowledged to clients after the new one had acknowledged
	// its first; 0 where overlaps are seen by asking the members what they are.
	writes int
}

// together are the times in which two members said at once that they are no replica, as far as
// that is proven: from the second answer of the one to the last question to the other.
func together(watchers []*watcher) []overlap {
	type term struct {
		member   string
		from, to time.Time
	}
	var terms []term
	for _, w := range watchers {
		open := false
		for _, s := range w.samples {
			if s.condition != primary {
				open = false
				continue
			}
			if !open {
				terms = append(terms, term{w.instance.Name, s.told, s.told})
			}
			open = true
			terms[len(terms)-1].to = s.asked
		}
	}
	slices.SortFunc(terms, func(a, b term) int { return a.from.Compare(b.from) })
	var all []overlap
	for i, a := range terms {
		for _, b := range terms[i+1:] {
			to := a.to
			if b.to.Before(to) {
				to = b.to
			}
			if a.member != b.member && to.After(b.from) {
				all = append(all, overlap{from: b.from, to: to, old: a.member, new: b.member})
			}
		}
	}
	return all
}

// bothWrote are the times in which a member acknowledged writes after another one had, on a
// timeline that is newer, or the same: there must be none. A write counts from when it was sent.
func bothWrote(acks []acknowledgement) []overlap {
	slices.SortFunc(acks, func(a, b acknowledgement) int { return a.told.Compare(b.told) })
	var all []overlap
	for i, lead := range acks {
		if slices.ContainsFunc(acks[:i], func(a acknowledgement) bool { return a.member == lead.member && a.timeline == lead.timeline }) {
			continue // not its first
		}
		found := map[string]int{}
		for _, a := range acks {
			if a.member == lead.member || a.timeline > lead.timeline || !a.sent.After(lead.told) {
				continue
			}
			n, known := found[a.member]
			if !known {
				n = len(all)
				found[a.member] = n
				all = append(all, overlap{from: lead.told, old: a.member, new: lead.member})
			}
			all[n].to = a.told
			if a.client {
				all[n].writes++
			}
		}
	}
	return all
}

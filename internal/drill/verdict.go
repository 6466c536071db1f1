package drill

import (
	"fmt"
)

// Judge says what the drill comes to, in sentences.
func (r *Report) Judge() {
	l := r.Ledger
	lost := len(l.Lost) > 0
	wrong := !l.Compared || len(l.Doubled)+len(l.Strange) > 0 || len(r.Primaries.Acknowledged) > 0 || !r.Healthy || l.Acknowledged == 0
	r.Verdict.Passed = !lost && !wrong
	say := func(format string, args ...any) {
		r.Verdict.Says = append(r.Verdict.Says, fmt.Sprintf(format, args...))
	}
	switch {
	case !l.Compared:
		say("Nobody could be asked for the rows that were written, so what was lost is not known.")
	case l.Acknowledged == 0:
		say("No write was acknowledged, so the drill tells nothing.")
	case !lost:
		say("Nothing that was acknowledged is lost: all %d writes are there.", l.Acknowledged)
	case l.MaximumLag > 0:
		r.Verdict.Tolerated = !wrong && l.LostBytes <= l.MaximumLag
		say("%d of %d acknowledged writes are lost, the last %d bytes of %s's log. Replication is asynchronous: a replica that lacks up to %d bytes may be promoted (maximum_lag_on_failover).",
			len(l.Lost), l.Acknowledged, l.LostBytes, r.Leader, l.MaximumLag)
	default:
		say("%d of %d acknowledged writes are lost, though replication is synchronous.", len(l.Lost), l.Acknowledged)
	}
	if len(l.Doubled) > 0 {
		say("%d rows are there more than once.", len(l.Doubled))
	}
	if len(l.Strange) > 0 {
		say("%d rows are there that were never written, or whose writing had failed.", len(l.Strange))
	}
	r.judgePrimaries(say)
	if r.Healthy {
		say("Everything was healthy again %.1f s after the fault, without hands.", *r.HealthyAt)
	} else {
		say("It is not healthy again after %.0f s: %s.", r.To, r.Complaint)
	}
}

func (r *Report) judgePrimaries(say func(string, ...any)) {
	for _, o := range r.Primaries.Acknowledged {
		say("%s acknowledged writes for %.2f s after %s had begun to; %d of them to clients.", o.Old, o.To-o.From, o.New, o.Writes)
	}
	if len(r.Primaries.Acknowledged) > 0 {
		return
	}
	for _, o := range r.Primaries.Together {
		say("%s and %s were both out of recovery for %.1f s; only one of them acknowledged writes.", o.Old, o.New, o.To-o.From)
	}
	if len(r.Primaries.Together) == 0 {
		say("At no time were two members primary.")
	}
}

package election

import (
	"fmt"
	"slices"
)

// foretell puts the outcome into sentences.
func (f Facts) foretell(r *Report) {
	part := "the leader"
	if f.Standby {
		part = "the standby leader"
	}
	switch n := len(r.Winners); {
	case n == 0 && f.Leader == "":
		r.Outcome = "Nobody leads, and nobody would be promoted."
		return
	case n == 0:
		r.Outcome = fmt.Sprintf("If %s went now, nobody would take over: writes wait until it is back.", f.Leader)
		return
	case n == 1:
		r.Outcome = fmt.Sprintf("%s would become %s: %s.", r.Winners[0], part, f.by(r))
	default:
		r.Outcome = fmt.Sprintf("%s would become %s, whoever asks first: %s.", list(r.Winners, "or"), part, f.by(r))
	}
	if f.Leader == "" {
		r.Outcome = "Nobody leads. " + r.Outcome
	} else {
		r.Outcome = fmt.Sprintf("If %s went now, %s", f.Leader, r.Outcome)
	}
	r.Loss = f.loss(r.Winners[0])
	r.Best, r.Worst = f.Best.Seconds(), f.Worst.Seconds()
	r.Soon = fmt.Sprintf("Writers would wait %.0f to %.0f s after a power cut of its machine; a PostgreSQL that crashes on a machine that lives has %.0f s to come back first.",
		r.Best, r.Worst, f.StartTimeout.Seconds())
}

// by is what the winner wins by.
func (f Facts) by(r *Report) string {
	losers := slices.ContainsFunc(r.Members, func(v Verdict) bool { return v.Verdict == Loses })
	byPriority := slices.ContainsFunc(r.Members, func(v Verdict) bool {
		return v.Verdict == Loses && v.Reasons[0].Code == LowerPriority
	})
	winner := f.Members[slices.IndexFunc(f.Members, func(m Member) bool { return m.Name == r.Winners[0] })]
	switch {
	case byPriority:
		return fmt.Sprintf("nobody has more WAL, and its failover_priority is %d", winner.Priority)
	case losers:
		return "it has the most WAL"
	case len(r.Winners) > 1:
		return "they have the same WAL"
	case f.Mode == Sync:
		return "it alone may lead of those that confirm writes"
	}
	return "it is the only one that may"
}

// loss is what would be gone with the leader.
func (f Facts) loss(winner string) string {
	m := f.Members[slices.IndexFunc(f.Members, func(m Member) bool { return m.Name == winner })]
	switch {
	case f.Standby:
		return "Nothing would be lost: the source has it all."
	case f.Mode != Async:
		return "No acknowledged write would be lost: replicas confirm them."
	case f.Position == 0:
		return fmt.Sprintf("What the leader acknowledged and %s has not received would be lost; nobody knows how much that is.", winner)
	}
	return fmt.Sprintf("What the leader acknowledged and %s has not received would be lost: %s right now; Patroni accepts up to %s, and what is written between two of its looks.",
		winner, bytes(max(f.Position-m.Position, 0)), bytes(f.MaximumLag))
}

// withoutStore is what the leader does while nobody can reach etcd.
func (f Facts) withoutStore() string {
	silent := f.names(func(m Member) bool { return m.Known && (!m.Answers || m.Lost != "") })
	text := "If etcd went, nobody could be elected, and the leader would "
	if !f.Store.majority() {
		text = fmt.Sprintf("etcd has no majority (%d of %d members are healthy): nobody can be elected, and the leader will ", f.Store.Healthy, f.Store.Members)
	}
	switch {
	case f.Paused:
		return text + "stay: the cluster is paused."
	case !f.Failsafe:
		return text + "step down: failsafe_mode is off."
	case len(silent) > 0:
		return text + fmt.Sprintf("step down: failsafe_mode needs every member's answer, and none is seen of %s.", list(silent, "and"))
	}
	return text + "stay as long as all members answer it (failsafe_mode)."
}

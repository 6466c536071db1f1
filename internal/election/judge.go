package election

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Judge holds the election.
func Judge(f Facts) Report {
	r := Report{Cluster: f.Cluster, Leader: f.Leader, Winners: []string{}, Store: f.withoutStore()}
	var fit []Member
	for _, m := range f.Members {
		v := Verdict{Instance: m.Name, Verdict: Leads}
		if m.Name != f.Leader {
			v.Verdict, v.Reasons = f.verdict(m)
			if v.Verdict == Wins {
				fit = append(fit, m)
			}
			if f.Position > 0 && m.Position > 0 {
				behind := max(f.Position-m.Position, 0)
				v.Behind = &behind
			}
		}
		r.Members = append(r.Members, v)
	}
	f.race(&r, fit)
	f.foretell(&r)
	return r
}

// verdict is Wins for a member that may take part in the race.
func (f Facts) verdict(m Member) (string, []Reason) {
	var reasons []Reason
	against := func(code, format string, args ...any) {
		reasons = append(reasons, Reason{code, fmt.Sprintf(format, args...)})
	}
	if m.Lost != "" {
		state := "the store does not list it any more"
		if m.Known {
			state = "the store lists it as " + cmp.Or(m.State, "unknown")
		}
		against(NodeLost, "its node cannot be asked: %s; %s", m.Lost, state)
		return Unknown, reasons
	}
	if !f.Store.majority() {
		against(NoMajority, "etcd has no majority (%d of %d members are healthy), and without one nobody is elected", f.Store.Healthy, f.Store.Members)
	}
	if f.Paused {
		against(Paused, "the cluster is paused: nobody is promoted until pigsty pg resume %s", f.Cluster)
	}
	switch {
	case !m.Answers:
		against(Silent, "its Patroni does not answer: it takes no part in an election (systemctl status patroni on its node)")
		return Refused, reasons
	case !m.Known:
		against(NotKnown, "the store does not list it as a member")
	case !m.runs():
		against(NotRunning, "its PostgreSQL is not up: %s", cmp.Or(m.State, "unknown"))
	}
	if m.NoFailover && m.Delay != "" {
		against(NoFailover, "it stays %s behind on purpose (pg_delay), so it is kept from leading (nofailover)", m.Delay)
	} else if m.NoFailover {
		against(NoFailover, "its tag nofailover keeps it from leading")
	}
	if m.runs() {
		f.position(m, against)
	}
	if len(reasons) > 0 {
		return Refused, reasons
	}
	return Wins, nil
}

// position tells what a member lacks.
func (f Facts) position(m Member, against func(code, format string, args ...any)) {
	if f.Mode == Sync && !m.Confirms {
		confirming := f.names(func(o Member) bool { return o.Confirms })
		if len(confirming) == 0 {
			against(NotSynchronous, "replication is synchronous, and no replica confirms writes right now: none is known to have them all")
		} else {
			against(NotSynchronous, "replication is synchronous, and %s confirms writes in its place", list(confirming, "and"))
		}
	}
	if behind := f.Position - m.Position; f.Position > 0 && behind > f.MaximumLag {
		against(TooFarBehind, "it lacks %s of the leader's WAL, and maximum_lag_on_failover is %s", bytes(behind), bytes(f.MaximumLag))
	}
	if f.CheckTimeline && !f.Standby && m.Timeline < f.Timeline {
		against(OldTimeline, "it is on timeline %d, the cluster on %d, and check_timeline is on", m.Timeline, f.Timeline)
	}
	if f.Mode == Quorum {
		if votes, needed := f.votes(m); votes < needed {
			against(NoVotes, "%d of the others that vote could speak for it, and it takes %d to know that it has every acknowledged write", max(votes, 0), needed)
		}
	}
}

// votes counts who would say that the member is not behind them, and how many have to. A member
// that does not vote itself needs one more.
func (f Facts) votes(m Member) (votes, needed int) {
	voters := f.names(func(o Member) bool { return o.Confirms })
	needed = len(voters) - min(max(f.Count, 1), len(voters))
	if !m.Confirms {
		votes = -1
	}
	for _, o := range f.Members {
		if o.Name != m.Name && o.Name != f.Leader && o.Confirms && o.Lost == "" && o.Answers && o.runs() && o.Position <= m.Position {
			votes++
		}
	}
	return votes, needed
}

func (f Facts) names(of func(Member) bool) []string {
	var names []string
	for _, m := range f.Members {
		if m.Name != f.Leader && of(m) {
			names = append(names, m.Name)
		}
	}
	return names
}

// race ranks those that may be promoted: by their WAL, then by failover_priority.
func (f Facts) race(r *Report, fit []Member) {
	if len(fit) == 0 {
		return
	}
	best := slices.MaxFunc(fit, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Priority, b.Priority))
	})
	for _, m := range fit {
		if m.Position == best.Position && m.Priority == best.Priority {
			r.Winners = append(r.Winners, m.Name)
			continue
		}
		n := slices.IndexFunc(r.Members, func(v Verdict) bool { return v.Instance == m.Name })
		v := &r.Members[n]
		v.Verdict = Loses
		if m.Position < best.Position {
			v.Reasons = append(v.Reasons, Reason{OtherAhead, fmt.Sprintf("%s has %s of WAL more", best.Name, bytes(best.Position-m.Position))})
		} else {
			v.Reasons = append(v.Reasons, Reason{LowerPriority, fmt.Sprintf("%s has as much and failover_priority %d, this one %d", best.Name, best.Priority, m.Priority)})
		}
	}
}

// list joins names, such as "a, b or c".
func list(names []string, last string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " " + last + " " + names[n-1]
	}
	return strings.Join(names, "")
}

// bytes writes a size in the largest unit of which there is at least one.
func bytes(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	value, unit := float64(n), 0
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	if unit == 0 || value == float64(int64(value)) {
		return fmt.Sprintf("%.0f %s", value, units[unit])
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

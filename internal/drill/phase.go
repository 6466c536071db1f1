package drill

import (
	"fmt"
	"time"

	"pigsty/internal/ledger"
)

// moment is something that happened on the way back, and who did it.
type moment struct {
	name   string
	at     time.Time
	member string
	says   string
}

// What Patroni writes when something happens, at the beginning of a record; the same in 3.0 and 4.0.
var (
	// A member that finds no leader asks all others what they have, or finds that it is not fit.
	saysVacant = []string{"Got response from", "Request failed to", "following a different leader because", "Lock owner: None"}
	// The leader gives its key back. One that gives up because it cannot reach etcd does not: its key
	// has to expire.
	saysReleased = []string{"Leader key released", "released leader key voluntarily", "manual failover: demoting myself", "Demoting self (graceful)"}
	saysElected  = []string{"promoted self to leader by acquiring session lock", "acquired session lock as a leader"}
	saysDead     = []string{"Postgresql is not running", "starting primary after failure", "doing crash recovery"}
	saysStarted  = []string{"postmaster pid="}
	saysFailsafe = []string{"continue to run as a leader because failsafe mode is enabled"}
)

// moments are what happened after the fault, in order; a phase is the time between two of them.
func (e *evidence) moments() []moment {
	if e.successor != "" && e.successor != e.leader {
		return e.takeover()
	}
	if s := e.restarted(); !s.IsZero() {
		return e.restart(s)
	}
	return nil
}

// takeover is the way from a leader to another.
func (e *evidence) takeover() []moment {
	others := func(member string) bool { return member != e.leader }
	next := func(member string) bool { return member == e.successor }
	old := func(member string) bool { return member == e.leader }
	var all []moment
	elected, l := first(e.logs, e.fault, next, saysElected...)
	electedAt := l.at
	if elected != "" {
		detected, seen := first(e.logs, e.fault, others, saysVacant...)
		if by, released := first(e.logs, e.fault, old, saysReleased...); by != "" && (detected == "" || released.at.Before(seen.at)) {
			detected, seen = by, released
		}
		if detected != "" && seen.at.Before(electedAt) {
			all = append(all, moment{"detection", seen.at, detected, seen.text})
		}
		all = append(all, moment{"election", electedAt, elected, l.text})
	}
	promoted, writes := e.promotion()
	if !promoted.IsZero() {
		all = append(all, moment{"promotion", promoted, e.successor, writes})
	}
	all = append(all, e.routing(promoted)...)
	if by, l := first(e.logs, later(promoted, e.fault), old, "no action. I am ("+e.leader+"), a secondary, and following a leader"); by != "" {
		all = append(all, moment{"rejoin", l.at, by, l.text})
	}
	return all
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// promotion is when the successor first was seen to take writes: by the watch, which asks every
// tenth of a second, or by an acknowledged write.
func (e *evidence) promotion() (at time.Time, says string) {
	for _, s := range e.watcher(e.successor).samples {
		if s.condition == primary && s.told.After(e.fault) {
			at, says = s.told, fmt.Sprintf("takes writes on timeline %d", s.timeline)
			break
		}
	}
	for _, a := range e.acknowledgements() {
		if a.member == e.successor && a.sent.After(e.fault) && (at.IsZero() || a.told.Before(at)) {
			at, says = a.told, fmt.Sprintf("acknowledged a write on timeline %d", a.timeline)
		}
	}
	return at, says
}

// restarted is when the leader was first seen to take writes again after it had been started anew;
// zero when it has not been.
func (e *evidence) restarted() time.Time {
	w := e.watcher(e.leader)
	if w == nil {
		return time.Time{}
	}
	before := int64(0)
	for _, s := range w.samples {
		switch {
		case s.condition != primary:
		case s.told.Before(e.fault):
			before = s.started
		case s.started != before:
			return s.told
		}
	}
	return time.Time{}
}

// restart is the way of a leader that died and came back.
func (e *evidence) restart(recovered time.Time) []moment {
	leads := func(member string) bool { return member == e.leader }
	var all []moment
	for _, step := range []struct {
		name string
		says []string
	}{{"detection", saysDead}, {"start", saysStarted}} {
		if by, l := first(e.logs, e.fault, leads, step.says...); by != "" && l.at.Before(recovered) {
			all = append(all, moment{step.name, l.at, by, l.text})
		}
	}
	all = append(all, moment{"recovery", recovered, e.leader, "takes writes again"})
	return append(all, e.routing(recovered)...)
}

// routing is when the first client, and the last of them, had a write acknowledged that it sent
// after the given time.
func (e *evidence) routing(after time.Time) []moment {
	if after.IsZero() {
		return nil
	}
	var firstWay, lastWay moment
	for _, t := range e.tracks {
		if t.Read || e.broken[t.Name] {
			continue
		}
		at := time.Time{}
		for _, n := range t.Entries {
			if n.Outcome == ledger.Acknowledged && n.Ended.After(after) {
				at = n.Ended
				break
			}
		}
		if at.IsZero() {
			return nil // somebody never got through
		}
		if firstWay.at.IsZero() || at.Before(firstWay.at) {
			firstWay = moment{"routing", at, "", "the first client is through: " + t.Name}
		}
		if at.After(lastWay.at) {
			lastWay = moment{"everywhere", at, "", "the last client is through: " + t.Name}
		}
	}
	if firstWay.at.IsZero() {
		return nil
	}
	return []moment{firstWay, lastWay}
}

package drill

import (
	"time"

	"pigsty/internal/ledger"
)

// evidence is everything that was seen of a drill, before anything is concluded from it.
type evidence struct {
	began, fault, ended time.Time // of the watching; when the fault happened
	tracks              []ledger.Track
	watchers            []*watcher
	logs                map[string][]line
	disturbed           []disturbance
	leader, successor   string // who led before, and at the end; empty = nobody
	// broken are the names of the ways into the cluster through a machine that the fault cuts off:
	// nobody gets in there before it ends, however fast the cluster recovers.
	broken map[string]bool
}

// disturbance is a time in which something was not healthy.
type disturbance struct {
	from, to time.Time
	what     string
}

// acknowledgement is a write that somebody was told is done.
type acknowledgement struct {
	sent, told time.Time
	member     string
	timeline   uint32
	client     bool // told to a client of the ledger; else to the watch
}

// members gives the instance that a server, by its start, was.
func (e *evidence) members() map[int64]string {
	names := map[int64]string{}
	for _, w := range e.watchers {
		for _, s := range w.samples {
			if s.started != 0 {
				names[s.started] = w.instance.Name
			}
		}
		for _, p := range w.pulses {
			names[p.server.Started] = w.instance.Name
		}
	}
	return names
}

// acknowledgements are all that were made, to the clients and to the watch.
func (e *evidence) acknowledgements() []acknowledgement {
	names := e.members()
	var all []acknowledgement
	for _, t := range e.tracks {
		for _, n := range t.Entries {
			if !t.Read && n.Outcome == ledger.Acknowledged {
				all = append(all, acknowledgement{n.Sent, n.Ended, names[n.Server.Started], n.Server.Timeline, true})
			}
		}
	}
	for _, w := range e.watchers {
		for _, p := range w.pulses {
			all = append(all, acknowledgement{p.sent, p.told, w.instance.Name, p.server.Timeline, false})
		}
	}
	return all
}

// watcher is that of a member.
func (e *evidence) watcher(member string) *watcher {
	for _, w := range e.watchers {
		if w.instance.Name == member {
			return w
		}
	}
	return nil
}

// stretch is a time in which a member was one thing.
type stretch struct {
	from, to  time.Time
	condition condition
	timeline  uint32
}

// stretches joins samples that say the same. Each reaches to the next one.
func stretches(samples []sample) []stretch {
	var all []stretch
	for _, s := range samples {
		n := len(all) - 1
		if n >= 0 {
			all[n].to = s.told
			if all[n].condition == s.condition && all[n].timeline == s.timeline {
				continue
			}
		}
		all = append(all, stretch{s.told, s.told, s.condition, s.timeline})
	}
	return all
}

package drill

import (
	"math"
	"slices"
	"time"

	"pigsty/internal/ledger"
)

// noticeable is how long a client may be without an answer before that counts as a stop: ten times
// the pause between two tries.
const noticeable = 500 * time.Millisecond

// conclude makes the report of what was seen.
func (d *Drill) conclude(e *evidence, account ledger.Account, compared bool) *Report {
	at := func(t time.Time) float64 { return seconds(t.Sub(e.fault)) }
	r := &Report{
		Cluster: d.c.Name, Fault: d.o.Fault, Title: d.o.Title, Command: d.o.Command, At: e.fault.UTC(),
		Lasts: seconds(d.o.Lasts), From: at(e.began), To: at(e.ended), Replication: "asynchronous",
		Leader: e.leader, Successor: e.successor, Notes: slices.Clone(d.logins.said),
	}
	if d.c.Failover().SynchronousMode {
		r.Replication = "synchronous"
	}
	for i, t := range e.tracks {
		r.Ways = append(r.Ways, d.ways[i].report(t, e))
		r.Ways[i].Broken = e.broken[t.Name]
		if !t.Read && !e.broken[t.Name] {
			r.Unavailable = max(r.Unavailable, r.Ways[i].Longest)
		}
	}
	previous := e.fault
	for _, m := range e.moments() {
		r.Phases = append(r.Phases, Phase{m.name, at(m.at), seconds(m.at.Sub(previous)), m.member, m.says})
		previous = m.at
	}
	for _, w := range e.watchers {
		r.Members = append(r.Members, w.report(at))
	}
	for _, o := range together(e.watchers) {
		r.Primaries.Together = append(r.Primaries.Together, Overlap{Span{at(o.from), at(o.to)}, o.old, o.new, 0})
	}
	for _, o := range bothWrote(e.acknowledgements()) {
		r.Primaries.Acknowledged = append(r.Primaries.Acknowledged, Overlap{Span{at(o.from), at(o.to)}, o.old, o.new, o.writes})
	}
	for _, x := range e.disturbed {
		r.Disturbed = append(r.Disturbed, Disturbance{Span{at(x.from), at(x.to)}, x.what})
	}
	if by, l := first(e.logs, e.fault, func(string) bool { return true }, saysFailsafe...); by != "" {
		r.Notes = append(r.Notes, by+" went on without etcd, as all members answered it: "+l.text)
	}
	r.Ledger = Ledger{
		Acknowledged: account.Acknowledged, Failed: account.Failed, Unknown: account.Unknown, Late: account.Late,
		Lost: account.Lost, Doubled: account.Doubled, Strange: account.Strange, Compared: compared,
		LostBytes: lostBytes(e.tracks, account.Lost),
	}
	if r.Replication == "asynchronous" {
		r.Ledger.MaximumLag = int64(d.c.Failover().MaximumLag)
	}
	r.Promise = d.promise(r)
	return r
}

// seconds of a time, to the millisecond.
func seconds(t time.Duration) float64 { return math.Round(t.Seconds()*1000) / 1000 }

func (w way) report(t ledger.Track, e *evidence) Way {
	r := Way{
		Name: w.name(), Service: w.service.Name, Port: w.service.Port, Through: w.through, Host: w.host,
		User: w.login.user, Pool: w.pool, Does: "writes", Errors: map[string]int{},
	}
	if w.read {
		r.Does = "reads"
	}
	for _, n := range t.Entries {
		r.count(n, int(n.Ended.Sub(e.began).Seconds()/CountStep))
	}
	at := func(t time.Time) float64 { return seconds(t.Sub(e.fault)) }
	longest := t.Longest(e.fault.Add(-noticeable), e.ended)
	r.Longest = seconds(longest.Length())
	if longest.Length() >= noticeable {
		stopped := at(longest.From)
		r.Stopped = &stopped
		if resumed := at(longest.To); !longest.Open {
			r.Resumed = &resumed
		}
	}
	for _, g := range t.Gaps(e.began.Add(steady/2), e.ended, noticeable) {
		r.Gaps = append(r.Gaps, Span{at(g.From), at(g.To)})
	}
	return r
}

// count adds a try that ended in the given part of the time.
func (r *Way) count(n ledger.Entry, part int) {
	for len(r.Counts) <= part {
		r.Counts = append(r.Counts, Count{})
	}
	c := &r.Counts[part]
	switch n.Outcome {
	case ledger.Acknowledged:
		r.Acknowledged++
		c.Acknowledged++
	case ledger.Failed:
		r.Failed++
		c.Failed++
	default:
		r.Unknown++
		c.Unknown++
	}
	if n.Error != "" {
		r.Errors[n.Error]++
	}
}

func (w *watcher) report(at func(time.Time) float64) Member {
	m := Member{Name: w.instance.Name, ClockAhead: seconds(clockAhead(w.samples))}
	for _, s := range stretches(w.samples) {
		m.Spans = append(m.Spans, State{Span{at(s.from), at(s.to)}, string(s.condition), s.timeline})
	}
	return m
}

// lostBytes is how much of the log lies between the last write that is still there and the last
// one that is lost, on the timeline of the lost ones.
func lostBytes(tracks []ledger.Track, lost []int64) int64 {
	if len(lost) == 0 {
		return 0
	}
	gone := map[int64]bool{}
	for _, n := range lost {
		gone[n] = true
	}
	var end, kept ledger.Server
	for _, t := range tracks {
		for _, e := range t.Entries {
			if gone[e.Number] && e.Server.Position > end.Position {
				end = e.Server
			}
		}
	}
	for _, t := range tracks {
		for _, e := range t.Entries {
			if e.Outcome == ledger.Acknowledged && !gone[e.Number] && e.Server.Timeline == end.Timeline &&
				e.Server.Position < end.Position && e.Server.Position > kept.Position {
				kept = e.Server
			}
		}
	}
	return end.Position - kept.Position
}

// promise is what pg_rto says of a leader that was replaced because its key ran out, or that came
// back by itself; nil where it says nothing, as of a handover or where nobody was replaced.
func (d *Drill) promise(r *Report) *Promise {
	t := d.c.Timing()
	best, worst := t.Outage()
	if i := slices.IndexFunc(r.Phases, func(p Phase) bool { return p.Name == "recovery" }); i >= 0 {
		best, worst = 0, time.Duration(t.StartTimeout)*time.Second+worst
	} else if r.Successor == "" || r.Successor == r.Leader || r.released() {
		return nil
	}
	return &Promise{d.c.Param.PgRto, best.Seconds(), worst.Seconds(), r.Unavailable <= worst.Seconds()}
}

// released tells whether the leader gave up its key by itself.
func (r *Report) released() bool {
	return slices.ContainsFunc(r.Phases, func(p Phase) bool { return p.Name == "detection" && p.Member == r.Leader })
}

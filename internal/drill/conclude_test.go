package drill

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/ledger"
	"pigsty/internal/model"
)

var start = time.Date(2026, 11, 23, 2, 47, 0, 0, time.UTC)

// at is a time after the fault, in seconds.
func at(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }

// watched is a member that is what is said from each time on, asked each tenth of a second until
// the end.
func watched(name string, end float64, became ...sample) *watcher {
	w := &watcher{instance: &model.PgInstance{Name: name}}
	for i, b := range became {
		until := at(end)
		if i+1 < len(became) {
			until = became[i+1].asked
		}
		for t := b.asked; t.Before(until); t = t.Add(watchPace) {
			s := b
			s.asked, s.told = t, t.Add(5*time.Millisecond)
			w.samples = append(w.samples, s)
		}
	}
	return w
}

// is says what a member is from a time on.
func is(from float64, c condition, started int64, timeline uint32) sample {
	return sample{asked: at(from), condition: c, started: started, timeline: timeline}
}

// client is one whose writes were acknowledged each tenth of a second by a server from one time to
// another.
type served struct {
	from, to float64
	server   ledger.Server
}

func client(name string, parts ...served) ledger.Track {
	t := ledger.Track{Name: name}
	n := int64(0)
	for _, p := range parts {
		for s := at(p.from); s.Before(at(p.to)); s = s.Add(100 * time.Millisecond) {
			p.server.Position += 100
			t.Entries = append(t.Entries, ledger.Entry{Number: n, Sent: s, Ended: s.Add(2 * time.Millisecond), Outcome: ledger.Acknowledged, Server: p.server})
			n++
		}
	}
	return t
}

// A power cut: a leads until 0, b from 20.3 on, and a follows from 33 on.
func powerCut() *evidence {
	return &evidence{
		began: at(-3), fault: start, ended: at(40), leader: "a", successor: "b",
		watchers: []*watcher{
			watched("a", 40, is(-3, primary, 1, 1), is(0, down, 0, 0), is(30, replica, 3, 2)),
			watched("b", 40, is(-3, replica, 2, 1), is(20.3, primary, 2, 2)),
		},
		tracks: []ledger.Track{
			client("first", served{-3, 0, ledger.Server{Started: 1, Timeline: 1}}, served{21, 40, ledger.Server{Started: 2, Timeline: 2, Position: 9000}}),
			client("second", served{-3, 0, ledger.Server{Started: 1, Timeline: 1}}, served{21.5, 40, ledger.Server{Started: 2, Timeline: 2, Position: 9000}}),
		},
		logs: map[string][]line{
			"a": {{at(-1), "no action. I am (a), the leader with the lock"}, {at(33), "no action. I am (a), a secondary, and following a leader (b)"}},
			"b": {
				{at(10), "no action. I am (b), a secondary, and following a leader (a)"},
				{at(18), "Request failed to a: GET https://10.0.0.1:8008/patroni"},
				{at(20), "promoted self to leader by acquiring session lock"},
			},
		},
	}
}

func names(moments []moment) []string {
	var all []string
	for _, m := range moments {
		all = append(all, m.name+" "+m.at.Sub(start).Round(10*time.Millisecond).String())
	}
	return all
}

func TestPhasesOfATakeover(t *testing.T) {
	want := []string{"detection 18s", "election 20s", "promotion 20.31s", "routing 21s", "everywhere 21.5s", "rejoin 33s"}
	if diff := cmp.Diff(want, names(powerCut().moments())); diff != "" {
		t.Error(diff)
	}
}

// Nobody gets in through a machine that is off, however fast the others are.
func TestPhasesLeaveOutWhatIsCutOff(t *testing.T) {
	e := powerCut()
	e.tracks = append(e.tracks, client("through a", served{-3, 0, ledger.Server{Started: 1, Timeline: 1}}))
	e.broken = map[string]bool{"through a": true}
	if diff := cmp.Diff(names(powerCut().moments()), names(e.moments())); diff != "" {
		t.Error(diff)
	}
}

// A leader that hands over says so before anybody else does.
func TestPhasesOfAHandover(t *testing.T) {
	e := powerCut()
	e.logs["a"] = append([]line{{at(0.4), "Demoting self (graceful)"}}, e.logs["a"]...)
	if got := e.moments()[0]; got.name != "detection" || got.member != "a" || !got.at.Equal(at(0.4)) {
		t.Errorf("the first is %+v", got)
	}
	// One that cannot reach etcd stops, and gives nothing back.
	e.logs["a"][0].text = "demoting self because DCS is not accessible and I was a leader"
	if got := e.moments()[0]; got.member != "b" || !got.at.Equal(at(18)) {
		t.Errorf("the first is %+v", got)
	}
}

func TestPhasesOfARestart(t *testing.T) {
	e := &evidence{
		began: at(-3), fault: start, ended: at(20), leader: "a", successor: "a",
		watchers: []*watcher{
			watched("a", 20, is(-3, primary, 1, 1), is(0, down, 0, 0), is(3, primary, 4, 1)),
			watched("b", 20, is(-3, replica, 2, 1)),
		},
		tracks: []ledger.Track{client("only", served{-3, 0, ledger.Server{Started: 1, Timeline: 1}}, served{3.5, 20, ledger.Server{Started: 4, Timeline: 1}})},
		logs:   map[string][]line{"a": {{at(1.5), "Postgresql is not running."}, {at(2), "postmaster pid=42"}}},
	}
	want := []string{"detection 1.5s", "start 2s", "recovery 3.01s", "routing 3.5s", "everywhere 3.5s"}
	if diff := cmp.Diff(want, names(e.moments())); diff != "" {
		t.Error(diff)
	}
}

// Where nobody was replaced and nothing was restarted, there are no phases.
func TestNoPhases(t *testing.T) {
	e := powerCut()
	e.successor = "a"
	e.watchers[0] = watched("a", 40, is(-3, primary, 1, 1))
	if got := e.moments(); len(got) > 0 {
		t.Errorf("%v", names(got))
	}
}

func TestOnePrimaryAtATime(t *testing.T) {
	e := powerCut()
	if o := together(e.watchers); len(o) > 0 {
		t.Errorf("together: %+v", o)
	}
	if o := bothWrote(e.acknowledgements()); len(o) > 0 {
		t.Errorf("both wrote: %+v", o)
	}
}

// The old leader stood still, goes on for half a second and is told of it then.
func TestTwoPrimaries(t *testing.T) {
	e := powerCut()
	e.watchers[0] = watched("a", 40, is(-3, primary, 1, 1), is(0, down, 0, 0), is(30, primary, 1, 1), is(30.6, replica, 3, 2))
	open := together(e.watchers)
	if len(open) != 1 || open[0].old != "b" || open[0].new != "a" || !open[0].from.Equal(at(30.005)) || !open[0].to.Equal(at(30.5)) {
		t.Errorf("together: %+v", open)
	}
	if o := bothWrote(e.acknowledgements()); len(o) > 0 {
		t.Errorf("nobody was told of a write, and yet: %+v", o)
	}
	e.tracks[0] = client("first", served{-3, 0, ledger.Server{Started: 1, Timeline: 1}}, served{21, 29, ledger.Server{Started: 2, Timeline: 2}}, served{30, 30.5, ledger.Server{Started: 1, Timeline: 1}})
	wrote := bothWrote(e.acknowledgements())
	if len(wrote) != 1 || wrote[0].old != "a" || wrote[0].new != "b" || wrote[0].writes != 5 || !wrote[0].from.Equal(at(21.002)) {
		t.Errorf("both wrote: %+v", wrote)
	}
}

// A member that is promoted begins a timeline: two that write on the same one are wrong even one
// after the other, as nobody can tell their histories apart.
func TestTwoPrimariesOnOneTimeline(t *testing.T) {
	e := powerCut()
	for _, track := range e.tracks {
		for i := range track.Entries {
			track.Entries[i].Server.Timeline = 1
		}
	}
	if o := bothWrote(e.acknowledgements()); len(o) != 1 || o[0].old != "b" || o[0].new != "a" {
		t.Errorf("both wrote: %+v", o)
	}
}

func TestLostBytes(t *testing.T) {
	track := client("only", served{-3, 0, ledger.Server{Started: 1, Timeline: 1}})
	last := int64(len(track.Entries) - 1)
	if got := lostBytes([]ledger.Track{track}, []int64{last - 1, last}); got != 200 {
		t.Errorf("two lost writes of 100 bytes each: %d bytes", got)
	}
	for i := range track.Entries[last:] { // it was started anew in between
		track.Entries[last+int64(i)].Server.Started = 5
	}
	if got := lostBytes([]ledger.Track{track}, []int64{last}); got != 100 {
		t.Errorf("a lost write of 100 bytes after a restart: %d bytes", got)
	}
	if got := lostBytes([]ledger.Track{track}, nil); got != 0 {
		t.Errorf("none lost: %d bytes", got)
	}
}

func TestVerdict(t *testing.T) {
	healthyAt := 30.0
	sound := func() *Report {
		return &Report{Leader: "a", Replication: "synchronous", Healthy: true, HealthyAt: &healthyAt, Ledger: Ledger{Acknowledged: 100, Compared: true}}
	}
	for name, c := range map[string]struct {
		change    func(*Report)
		passed    bool
		tolerated bool
		says      string
	}{
		"sound":            {func(*Report) {}, true, false, "all 100 writes are there"},
		"lost":             {func(r *Report) { r.Ledger.Lost = []int64{3} }, false, false, "though replication is synchronous"},
		"lost as allowed":  {func(r *Report) { r.Ledger.Lost, r.Ledger.LostBytes, r.Ledger.MaximumLag = []int64{3}, 90, 100 }, false, true, "the last 90 bytes"},
		"lost too much":    {func(r *Report) { r.Ledger.Lost, r.Ledger.LostBytes, r.Ledger.MaximumLag = []int64{3}, 110, 100 }, false, false, "the last 110 bytes"},
		"lost, not well":   {func(r *Report) { r.Ledger.Lost, r.Ledger.MaximumLag, r.Healthy = []int64{3}, 100, false }, false, false, "not healthy again"},
		"doubled":          {func(r *Report) { r.Ledger.Doubled = []int64{3} }, false, false, "more than once"},
		"strange":          {func(r *Report) { r.Ledger.Strange = []int64{3} }, false, false, "never written"},
		"not compared":     {func(r *Report) { r.Ledger.Compared = false }, false, false, "not known"},
		"nothing written":  {func(r *Report) { r.Ledger.Acknowledged = 0 }, false, false, "tells nothing"},
		"not healthy":      {func(r *Report) { r.Healthy, r.Complaint = false, "nobody leads" }, false, false, "nobody leads"},
		"two that wrote":   {func(r *Report) { r.Primaries.Acknowledged = []Overlap{{Old: "a", New: "b"}} }, false, false, "after b had begun to"},
		"two out of order": {func(r *Report) { r.Primaries.Together = []Overlap{{Old: "a", New: "b"}} }, true, false, "only one of them acknowledged"},
	} {
		r := sound()
		c.change(r)
		r.Judge()
		said := slices.ContainsFunc(r.Verdict.Says, func(text string) bool { return strings.Contains(text, c.says) })
		if r.Verdict.Passed != c.passed || r.Verdict.Tolerated != c.tolerated || !said {
			t.Errorf("%s: %+v, and should say %q", name, r.Verdict, c.says)
		}
	}
}

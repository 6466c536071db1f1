package election_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/election"
)

const mib = 1 << 20

// trio is a healthy cluster: a leads, b and c have all that it wrote.
func trio() election.Facts {
	f := election.Facts{
		Cluster: "pg", Leader: "a", Position: 100 * mib, Timeline: 3, Mode: election.Async, Count: 1, MaximumLag: mib, Failsafe: true,
		Best: 16 * time.Second, Worst: 26 * time.Second, StartTimeout: 15 * time.Second,
		Store: election.Store{Members: 3, Healthy: 3},
	}
	for _, name := range []string{"a", "b", "c"} {
		f.Members = append(f.Members, election.Member{
			Name: name, Known: true, Answers: true, State: "streaming", Timeline: 3, Position: 100 * mib, Priority: 1,
		})
	}
	return f
}

func TestJudge(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(f *election.Facts, a, b, c *election.Member)
		b, c    string // verdict and codes of reasons
		winners []string
		says    []string // in the sentences
	}{
		"nothing is wrong": {
			func(*election.Facts, *election.Member, *election.Member, *election.Member) {},
			"wins", "wins",
			[]string{"b", "c"},
			[]string{"If a went now, b or c would become the leader, whoever asks first: they have the same WAL", "lost: 0 bytes right now", "up to 1 MiB", "16 to 26 s", "has 15 s", "stay as long as all members answer it"},
		},
		"one has more": {
			func(_ *election.Facts, _, b, _ *election.Member) { b.Position -= 1000 },
			"loses other ahead", "wins",
			[]string{"c"},
			[]string{"c would become the leader: it has the most WAL"},
		},
		"one lacks too much": {
			func(_ *election.Facts, _, b, _ *election.Member) { b.Position -= mib + 1 },
			"refused too far behind", "wins",
			[]string{"c"},
			[]string{"it lacks 1.0 MiB of the leader's WAL, and maximum_lag_on_failover is 1 MiB"},
		},
		"as much as may be lacking": {
			func(_ *election.Facts, _, b, c *election.Member) { b.Position, c.Position = b.Position-mib, c.Position-mib },
			"wins", "wins",
			[]string{"b", "c"},
			[]string{"lost: 1 MiB right now"},
		},
		"priority among equals": {
			func(_ *election.Facts, _, b, _ *election.Member) { b.Priority = 7 },
			"wins", "loses lower priority",
			[]string{"b"},
			[]string{"nobody has more WAL, and its failover_priority is 7", "b has as much and failover_priority 7, this one 1"},
		},
		"priority does not beat WAL": {
			func(_ *election.Facts, _, b, _ *election.Member) { b.Priority, b.Position = 7, b.Position-1 },
			"loses other ahead", "wins",
			[]string{"c"}, nil,
		},
		"kept from leading": {
			func(_ *election.Facts, _, b, c *election.Member) {
				b.NoFailover, c.NoFailover, c.Delay = true, true, "1h"
			},
			"refused nofailover", "refused nofailover",
			[]string{},
			[]string{"its tag nofailover", "it stays 1h behind on purpose", "If a went now, nobody would take over"},
		},
		"paused": {
			func(f *election.Facts, _, _, _ *election.Member) { f.Paused = true },
			"refused paused", "refused paused",
			[]string{},
			[]string{"pigsty pg resume pg", "stay: the cluster is paused"},
		},
		"node, Patroni and PostgreSQL away": {
			func(_ *election.Facts, _, b, c *election.Member) {
				b.Lost = "no route to host"
				c.Answers = false
			},
			"unknown node lost", "refused patroni silent",
			[]string{},
			[]string{"its node cannot be asked: no route to host; the store lists it as streaming", "step down: failsafe_mode needs every member's answer, and none is seen of b and c"},
		},
		"long gone, the store forgot it": {
			func(_ *election.Facts, _, b, c *election.Member) {
				*b = election.Member{Name: "b", Lost: "no route to host"}
				c.State = "creating replica"
			},
			"unknown node lost", "refused not running",
			[]string{},
			[]string{"the store does not list it any more", "its PostgreSQL is not up: creating replica", "stay as long as all members answer it"},
		},
		"unknown to the store": {
			func(_ *election.Facts, _, b, _ *election.Member) { b.Known = false },
			"refused not known", "wins",
			[]string{"c"}, nil,
		},
		"one confirms writes": {
			func(f *election.Facts, _, b, _ *election.Member) { f.Mode, b.Confirms = election.Sync, true },
			"wins", "refused not synchronous",
			[]string{"b"},
			[]string{"b confirms writes in its place", "it alone may lead of those that confirm writes", "No acknowledged write would be lost"},
		},
		"none confirms writes": {
			func(f *election.Facts, _, _, _ *election.Member) { f.Mode = election.Sync },
			"refused not synchronous", "refused not synchronous",
			[]string{},
			[]string{"no replica confirms writes right now"},
		},
		"a quorum of two": {
			func(f *election.Facts, _, b, c *election.Member) {
				f.Mode, b.Confirms, c.Confirms = election.Quorum, true, true
			},
			"wins", "wins",
			[]string{"b", "c"},
			[]string{"No acknowledged write would be lost"},
		},
		"a quorum needs the other's word": {
			func(f *election.Facts, _, b, c *election.Member) {
				f.Mode, b.Confirms, c.Confirms = election.Quorum, true, true
				c.Answers = false
			},
			"refused no votes", "refused patroni silent",
			[]string{},
			[]string{"0 of the others that vote could speak for it, and it takes 1"},
		},
		"a quorum speaks for who has the most": {
			func(f *election.Facts, _, b, c *election.Member) {
				f.Mode, b.Confirms, c.Confirms = election.Quorum, true, true
				c.Position -= 8
			},
			"wins", "refused no votes",
			[]string{"b"}, nil,
		},
		"both confirm each write": {
			func(f *election.Facts, _, b, c *election.Member) {
				f.Mode, f.Count, b.Confirms, c.Confirms = election.Quorum, 2, true, true
				c.Answers = false
			},
			"wins", "refused patroni silent",
			[]string{"b"}, nil,
		},
		"an older timeline that counts": {
			func(f *election.Facts, _, b, _ *election.Member) { f.CheckTimeline, b.Timeline = true, 2 },
			"refused old timeline", "wins",
			[]string{"c"},
			[]string{"it is on timeline 2, the cluster on 3"},
		},
		"an older timeline that does not": {
			func(_ *election.Facts, _, b, _ *election.Member) { b.Timeline = 2 },
			"wins", "wins",
			[]string{"b", "c"}, nil,
		},
		"etcd without a majority": {
			func(f *election.Facts, _, _, _ *election.Member) { f.Store.Healthy, f.Failsafe = 1, false },
			"refused no majority", "refused no majority",
			[]string{},
			[]string{"1 of 3 members are healthy", "the leader will step down: failsafe_mode is off"},
		},
		"nobody leads": {
			func(f *election.Facts, a, b, _ *election.Member) {
				f.Leader, a.Answers, b.NoFailover = "", false, true
			},
			"refused nofailover", "wins",
			[]string{"c"},
			[]string{"Nobody leads. c would become the leader: it is the only one that may."},
		},
		"a cluster that follows another": {
			func(f *election.Facts, _, b, _ *election.Member) { f.Standby, b.Position = true, b.Position-1 },
			"loses other ahead", "wins",
			[]string{"c"},
			[]string{"the standby leader", "Nothing would be lost: the source has it all."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := trio()
			test.change(&f, &f.Members[0], &f.Members[1], &f.Members[2])
			r := election.Judge(f)
			text := r.Outcome + "\n" + r.Loss + "\n" + r.Soon + "\n" + r.Store
			var told []string
			for _, v := range r.Members {
				words := []string{v.Verdict}
				for _, reason := range v.Reasons {
					words = append(words, reason.Code)
					text += "\n" + reason.Text
				}
				told = append(told, strings.Join(words, " "))
			}
			if d := cmp.Diff([]string{test.b, test.c}, told[1:]); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(test.winners, r.Winners); d != "" {
				t.Error(d)
			}
			for _, want := range test.says {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not said:\n%s", want, text)
				}
			}
		})
	}
}

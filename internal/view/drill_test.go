package view

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pigsty/internal/drill"
	"pigsty/internal/golden"
	"pigsty/internal/module"
)

// powerCut is a report as a power cut of an asynchronous cluster makes it.
func powerCut() *drill.Report {
	at := func(v float64) *float64 { return &v }
	counts := func(stop, resume float64, failed, unknown int) []drill.Count {
		var all []drill.Count
		for t := -4.0; t < 41; t += drill.CountStep {
			n := drill.Count{Acknowledged: 5}
			switch {
			case t >= stop && t < stop+2*drill.CountStep:
				n = drill.Count{Unknown: unknown}
			case t >= stop && t < resume:
				n = drill.Count{Failed: failed}
			}
			all = append(all, n)
		}
		return all
	}
	way := func(name, does string, pool bool, stop, resume float64) drill.Way {
		w := drill.Way{
			Name: name, Does: does, Pool: pool, User: "test", Acknowledged: 420, Failed: 18, Unknown: 1, Longest: resume - stop,
			Stopped: at(stop), Resumed: at(resume), Gaps: []drill.Span{{From: stop, To: resume}},
			Errors: map[string]int{"context deadline exceeded": 12, "connection refused": 6}, Counts: counts(stop, resume, 1, 1),
		}
		if stop == resume {
			w.Failed, w.Unknown, w.Stopped, w.Resumed, w.Gaps, w.Errors, w.Longest = 0, 0, nil, nil, nil, nil, 0.09
		}
		return w
	}
	state := func(from, to float64, condition string, timeline uint32) drill.State {
		return drill.State{Span: drill.Span{From: from, To: to}, Condition: condition, Timeline: timeline}
	}
	r := &drill.Report{
		Cluster: "pg-test", Fault: "power-cut", Title: "the leader's machine loses its power, and boots again",
		Command: "pigsty drill power-cut pg-test --yes-destroy pg-test", At: time.Date(2026, 11, 23, 2, 47, 0, 0, time.UTC),
		Lasts: 20, From: -4, To: 41, Replication: "asynchronous", Leader: "pg-test-1", Successor: "pg-test-3", Unavailable: 21.42,
		Promise: &drill.Promise{RTO: "fast", Best: 16, Worst: 26, Within: true},
		Phases: []drill.Phase{
			{Name: "detection", At: 17.86, Took: 17.86, Member: "pg-test-2", Says: "following a different leader because i am not the healthiest node"},
			{Name: "election", At: 19.96, Took: 2.1, Member: "pg-test-3", Says: "promoted self to leader by acquiring session lock"},
			{Name: "promotion", At: 20.3, Took: 0.34, Member: "pg-test-3", Says: "takes writes on timeline 2"},
			{Name: "routing", At: 20.9, Took: 0.6, Says: "the first client is through: 5436 through pg-test-3"},
			{Name: "everywhere", At: 21.3, Took: 0.4, Says: "the last client is through: 5433 through pg-test-2"},
			{Name: "rejoin", At: 33.1, Took: 11.8, Member: "pg-test-1", Says: "no action. I am (pg-test-1), a secondary, and following a leader (pg-test-3)"},
		},
		Ways: []drill.Way{
			way("5433 through virtual address", "writes", true, -0.02, 21.1),
			way("5433 through pg-test-2", "writes", true, -0.02, 21.3),
			way("5434 through virtual address", "reads", true, 0.1, 0.1),
			way("5436 through pg-test-3", "writes", false, -0.01, 20.9),
		},
		Members: []drill.Member{
			{Name: "pg-test-1", Spans: []drill.State{state(-4, 0, "primary", 1), state(0, 28, "down", 0), state(28, 41, "replica", 2)}},
			{Name: "pg-test-2", Spans: []drill.State{state(-4, 21, "replica", 1), state(21, 41, "replica", 2)}},
			{Name: "pg-test-3", Spans: []drill.State{state(-4, 20.3, "replica", 1), state(20.3, 41, "primary", 2)}},
		},
		Ledger:    drill.Ledger{Acknowledged: 1680, Failed: 54, Unknown: 3, Late: 1, Lost: []int64{812, 815}, LostBytes: 304, MaximumLag: 1 << 20, Compared: true},
		Disturbed: []drill.Disturbance{{Span: drill.Span{From: 3.1, To: 35.2}, What: "node pg-test-1 cannot be asked: <no answer>"}},
		Healthy:   true, HealthyAt: at(35.2), Notes: []string{"Clients of the pool are test, in database test."},
	}
	r.Judge()
	return r
}

func TestDrill(t *testing.T) {
	var b bytes.Buffer
	Drill(&b, powerCut(), false)
	golden.Compare(t, filepath.Join("testdata", "drill.txt"), b.String())
	b.Reset()
	Faults(&b, module.Faults(), false)
	golden.Compare(t, filepath.Join("testdata", "faults.txt"), b.String())
}

// The page is opened from a file, perhaps where there is no network, and what nodes say is shown
// and not obeyed.
func TestDrillPageStandsAlone(t *testing.T) {
	var b bytes.Buffer
	if err := DrillPage(&b, powerCut()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	golden.Compare(t, filepath.Join("testdata", "drill.html"), page)
	for _, asks := range []string{"<script", "<link", "<img", "src=", "href=", "url(", "@import", "http:", "https:"} {
		if strings.Contains(page, asks) {
			t.Errorf("the page has %q: it may ask for something", asks)
		}
	}
	if strings.Contains(page, "<no answer>") || !strings.Contains(page, "&lt;no answer&gt;") {
		t.Error("what a node said is not escaped")
	}
	if zgotmpl := regexp.MustCompile(`ZgotmplZ|%!`).FindString(page); zgotmpl != "" {
		t.Errorf("the page has %q: a value that the template would not write", zgotmpl)
	}
}

package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pigsty/internal/engine"
	"pigsty/internal/resource"
)

func (r ran) at(event string) int { return slices.Index(r.order, event) }

// wants fails the test for steps that did not end as given: "changed", "failed: why" …
func (r ran) wants(t *testing.T, want map[string]string) {
	t.Helper()
	for at, end := range want {
		got := string(r.end[at])
		if r.why[at] != "" {
			got += ": " + r.why[at]
		}
		if got != end {
			t.Errorf("%s: %q, want %q", at, got, end)
		}
	}
}

func TestOrderWithinAndBetweenNodes(t *testing.T) {
	g := graph(t,
		step("a", "1"), step("a", "2", ref("b", "2")), step("a", "3"),
		step("b", "1"), step("b", "2"), step("b", "3", ref("a", "2")),
	)
	nodes := map[string]*node{"a": {}, "b": {}}
	r := carryOut(t, t.Context(), g, nodes, nil)
	chain := []string{"changed a/1", "started a/2", "changed a/2", "started a/3"}
	for _, pair := range [][]string{chain, {"changed b/1", "started b/2", "changed b/2", "started a/2"}, {"changed a/2", "started b/3"}} {
		for i := 1; i < len(pair); i++ {
			if r.at(pair[i-1]) >= r.at(pair[i]) || r.at(pair[i-1]) < 0 {
				t.Errorf("%q does not come before %q in %q", pair[i-1], pair[i], r.order)
			}
		}
	}
	if got := nodes["b"].batches; len(got) != 2 || !slices.Equal(got[0], []string{"1", "2"}) {
		t.Errorf("b got its steps in batches %v; what need not wait goes in one", got)
	}
}

// Every node starts its first step and holds it until all others have started theirs: a run
// that took one node after the other would stand still, which the bubble reports.
func TestNodesRunAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var steps []resource.Step
		var started sync.WaitGroup
		nodes := map[string]*node{}
		for _, name := range []string{"a", "b", "c", "d"} {
			steps = append(steps, step(name, "x"))
			started.Add(1)
			nodes[name] = &node{hook: func(string) { started.Done(); started.Wait() }}
		}
		r := carryOut(t, t.Context(), graph(t, steps...), nodes, nil)
		for _, event := range r.order[:4] {
			if !strings.HasPrefix(event, "started") {
				t.Errorf("events %q", r.order)
			}
		}
	})
}

func TestFailureStopsWhatDependsOnIt(t *testing.T) {
	g := graph(t,
		step("a", "1"), step("a", "2"), step("a", "3"),
		step("b", "1", ref("a", "1")), step("b", "2", ref("a", "3")), step("b", "3"),
		step("c", "1", ref("b", "3")),
		step("d", "1"),
	)
	nodes := map[string]*node{"a": {fail: map[string]string{"2": "no space"}}, "b": {}, "c": {}, "d": {}}
	carryOut(t, t.Context(), g, nodes, nil).wants(t, map[string]string{
		"a/1": "changed", "a/2": "failed: no space", "a/3": "skipped: thing:2 failed before it",
		"b/1": "changed",
		"b/2": "skipped: it waits for thing:3 on a, which was not done",
		"b/3": "skipped: it waits for thing:3 on a, which was not done",
		"c/1": "skipped: it waits for thing:3 on b, which was not done",
		"d/1": "changed",
	})
}

func TestBranchFailsAlone(t *testing.T) {
	g := graph(t,
		step("a", "1"), branch(step("a", "side 1"), "side"), branch(step("a", "side 2"), "side"), branch(step("a", "other"), "other"), step("a", "2"),
		// Behind an edge, so in another batch: the branch must stay barred.
		branch(step("a", "side 3", ref("b", "1")), "side"), step("a", "3"),
		step("b", "1"), step("b", "2", ref("a", "side 2")), step("b", "3", ref("a", "3")),
	)
	nodes := map[string]*node{"a": {fail: map[string]string{"side 1": "bad"}}, "b": {}}
	carryOut(t, t.Context(), g, nodes, nil).wants(t, map[string]string{
		"a/1": "changed", "a/other": "changed", "a/2": "changed", "a/3": "changed",
		"a/side 1": "failed: bad",
		"a/side 2": "skipped: thing:side 1 failed before it",
		"a/side 3": "skipped: thing:side 1 failed before it",
		"b/1":      "changed",
		"b/2":      "skipped: it waits for thing:side 2 on a, which was not done",
	})
}

// A trunk that fails takes the branches after it along.
// What goes with a step is left out where the node does without that, and done where it failed.
func TestGoesWithWhatIsLeftOut(t *testing.T) {
	g := graph(t,
		step("a", "sender"), step("b", "sender"), step("c", "sender"),
		step("m", "first"), with(step("m", "of a"), ref("a", "sender")), with(step("m", "of b"), ref("b", "sender")),
		with(step("m", "of c"), ref("c", "sender")), branch(step("m", "own"), "side"), with(step("m", "of own"), ref("m", "own")), step("m", "last"),
	)
	nodes := map[string]*node{"a": {}, "b": {omit: map[string]bool{"sender": true}}, "c": {fail: map[string]string{"sender": "disk full"}}, "m": {omit: map[string]bool{"own": true}}}
	carryOut(t, t.Context(), g, nodes, nil).wants(t, map[string]string{
		"m/first": "changed", "m/of a": "changed", "m/of b": "omitted", "m/of c": "changed", "m/of own": "omitted", "m/last": "changed",
	})
	sessions := map[string]engine.Session{}
	for name, n := range nodes {
		sessions[name] = n
	}
	plan := engine.MakePlan(t.Context(), g, sessions, nil)
	var pending []string
	for _, c := range plan.Nodes[3].Changes {
		pending = append(pending, c.Name)
	}
	if want := []string{"first", "of a", "of c", "last"}; !slices.Equal(pending, want) {
		t.Errorf("planned on m: %q, want %q", pending, want)
	}
}

func TestTrunkBarsBranches(t *testing.T) {
	g := graph(t, step("a", "1"), branch(step("a", "side"), "side"))
	r := carryOut(t, t.Context(), g, map[string]*node{"a": {fail: map[string]string{"1": "bad"}}}, nil)
	r.wants(t, map[string]string{"a/side": "skipped: thing:1 failed before it"})
}

func TestLostConnection(t *testing.T) {
	g := graph(t,
		step("a", "1"), step("a", "2"), step("a", "3"), step("a", "4", ref("b", "1")),
		step("b", "1"), step("b", "2", ref("a", "3")),
		step("gone", "1"), step("gone", "2"), step("b", "3"),
	)
	nodes := map[string]*node{"a": {cut: "2"}, "b": {}}
	r := carryOut(t, t.Context(), g, nodes, map[string]error{"gone": errors.New("no route to host")})
	r.wants(t, map[string]string{
		"a/1": "changed", "a/2": "failed: cut at 2",
		"a/3": "skipped: nothing more could be done on the node", "a/4": "skipped: nothing more could be done on the node",
		"b/1": "changed", "b/2": "skipped: it waits for thing:3 on a, which was not done",
		"gone/1": "failed: no route to host", "gone/2": "skipped: nothing more could be done on the node",
	})
}

// A connection that breaks between two batches still shows as a failure, with its reason.
func TestLostBetweenBatches(t *testing.T) {
	g := graph(t, step("a", "1"), step("a", "2", ref("b", "1")), step("b", "1"))
	first := make(chan struct{})
	a := scripted(func(steps []resource.Step, event func(resource.Outcome)) error {
		for i := range steps {
			event(resource.Outcome{Index: i, Status: resource.InOrder})
		}
		close(first)
		return errors.New("gone after the last answer")
	})
	r := ran{end: map[string]resource.Status{}, why: map[string]string{}}
	b := &node{hook: func(string) { <-first }}
	engine.Apply(t.Context(), g, map[string]engine.Session{"a": a, "b": b}, nil, func(e engine.Event) {
		r.end[e.Node+"/"+e.Name], r.why[e.Node+"/"+e.Name] = e.Status, e.Error
	})
	r.wants(t, map[string]string{"a/1": "ok", "a/2": "failed: gone after the last answer", "b/1": "changed"})
}

// scripted is a session whose Apply is given.
type scripted func(steps []resource.Step, event func(resource.Outcome)) error

func (scripted) Diff(context.Context, []resource.Step) ([]resource.Outcome, error) { return nil, nil }

func (f scripted) Apply(_ context.Context, steps []resource.Step, event func(resource.Outcome)) error {
	return f(steps, event)
}

// A node that says it is done, and not what became of a step, must not leave others waiting.
func TestUntoldStepCountsAsFailed(t *testing.T) {
	g := graph(t, step("a", "1"), step("a", "2"), step("b", "1", ref("a", "1")))
	end := map[string]string{}
	engine.Apply(t.Context(), g, map[string]engine.Session{"a": answer(nil), "b": &node{}}, nil, func(e engine.Event) {
		end[e.Node+"/"+e.Name] = string(e.Status) + ": " + e.Error
	})
	for at, want := range map[string]string{
		"a/1": "failed: the node did not tell what became of this step",
		"a/2": "skipped: nothing more could be done on the node",
		"b/1": "skipped: it waits for thing:1 on a, which was not done",
	} {
		if end[at] != want {
			t.Errorf("%s: %q, want %q", at, end[at], want)
		}
	}
}

func TestCancelledRunEndsInGoodOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := graph(t,
			step("a", "1"), step("a", "2"), step("a", "3"),
			step("b", "1", ref("a", "3")), step("b", "2"),
		)
		nodes := map[string]*node{"a": {hook: func(id string) {
			if id == "2" {
				synctest.Wait() // b waits for a by now
				cancel()
			}
		}}, "b": {}}
		carryOut(t, ctx, g, nodes, nil).wants(t, map[string]string{
			"a/1": "changed", "a/2": "changed", "a/3": "skipped: the run was stopped",
			"b/1": "skipped: the run was stopped", "b/2": "skipped: the run was stopped",
		})
	})
}

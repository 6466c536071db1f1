package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pigsty/internal/engine"
	"pigsty/internal/resource"
)

// world is a random graph with what goes wrong in it.
type world struct {
	steps []resource.Step // in an order in which they could run one by one
	nodes map[string]*node
	lost  map[string]error
}

// drawWorld makes steps whose edges lead back only, so that the graph has no circle, and spreads
// failures, broken connections and unreachable nodes over it.
func drawWorld(t *rapid.T) world {
	w := world{nodes: map[string]*node{}, lost: map[string]error{}}
	count := rapid.IntRange(1, 5).Draw(t, "nodes")
	for i := range count {
		name := fmt.Sprint("n", i)
		if rapid.IntRange(0, 7).Draw(t, name+" lost") == 0 {
			w.lost[name] = errors.New("unreachable")
			continue
		}
		w.nodes[name] = &node{fail: map[string]string{}, omit: map[string]bool{}}
	}
	for i := range rapid.IntRange(1, 40).Draw(t, "steps") {
		at := fmt.Sprint("n", rapid.IntRange(0, count-1).Draw(t, "at"))
		s := step(at, fmt.Sprint("s", i))
		s.Branch = rapid.SampledFrom([]string{"", "", "", "x", "y"}).Draw(t, "branch")
		for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "edges") {
			if i > 0 {
				s.After = append(s.After, w.steps[rapid.IntRange(0, i-1).Draw(t, "after")].Ref())
			}
		}
		if i > 0 && rapid.IntRange(0, 5).Draw(t, "goes with") == 0 {
			s.With = w.steps[rapid.IntRange(0, i-1).Draw(t, "with")].Ref()
		}
		if n := w.nodes[at]; n != nil {
			switch rapid.IntRange(0, 24).Draw(t, "fate") {
			case 0, 1:
				n.fail[s.Resource.Name()] = "fails"
			case 2:
				n.cut = s.Resource.Name()
			case 3, 4, 5:
				n.omit[s.Resource.Name()] = true
			}
		}
		w.steps = append(w.steps, s)
	}
	return w
}

// expected is what must become of each step, by the rules alone: one pass in an order in which
// the steps could run, without batches, goroutines or messages.
func (w world) expected() map[resource.Ref]resource.Status {
	end := map[resource.Ref]resource.Status{}
	barred, omitted := map[string]map[string]bool{}, map[string]map[string]bool{}
	dead := map[string]bool{}
	for _, s := range w.steps {
		if barred[s.Node] == nil {
			barred[s.Node], omitted[s.Node] = map[string]bool{}, map[string]bool{}
		}
		end[s.Ref()] = w.expect(s, end, barred[s.Node], omitted[s.Node], dead)
	}
	return end
}

func (w world) expect(s resource.Step, end map[resource.Ref]resource.Status, barred, omitted, dead map[string]bool) resource.Status {
	n := w.nodes[s.Node]
	if dead[s.Node] {
		return resource.Skipped
	}
	if n == nil {
		dead[s.Node] = true
		return resource.Failed
	}
	if barred[""] || barred[s.Branch] {
		return resource.Skipped
	}
	if omitted[s.Branch] {
		return resource.Omitted
	}
	for _, after := range s.After {
		if end[after] == resource.Failed || end[after] == resource.Skipped {
			barred[s.Branch] = true
			return resource.Skipped
		}
	}
	if end[s.With] == resource.Omitted {
		return resource.Omitted
	}
	switch id := s.Resource.Name(); {
	case n.cut == id:
		dead[s.Node] = true
		return resource.Failed
	case n.fail[id] != "":
		barred[s.Branch] = true
		return resource.Failed
	case n.omit[id]:
		omitted[s.Branch] = true
		return resource.Omitted
	}
	return resource.Changed
}

// Whatever fails wherever: every step ends exactly once (carryOut looks), as the rules say;
// nothing runs before what it waits for, or before the end of the step listed before it.
func TestAnyGraphAnyFailure(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt)
		g, err := engine.NewGraph(w.steps)
		if err != nil {
			rt.Fatal(err)
		}
		r := carryOut(rt, t.Context(), g, w.nodes, w.lost)
		for ref, want := range w.expected() {
			at := ref.Node + "/" + strings.TrimPrefix(ref.ID, "thing:")
			if r.end[at] != want {
				rt.Errorf("%s: %s (%s), want %s", at, r.end[at], r.why[at], want)
			}
		}
		checkOrder(rt, g, r)
	})
}

// checkOrder reads the events: a start must come after the ends of all it had to wait for.
func checkOrder(t *rapid.T, g *engine.Graph, r ran) {
	ended := map[string]bool{}
	before := map[string][]string{}
	for _, name := range g.Nodes() {
		for i, s := range g.Steps(name) {
			at := name + "/" + s.Resource.Name()
			if i > 0 {
				before[at] = append(before[at], name+"/"+g.Steps(name)[i-1].Resource.Name())
			}
			for _, after := range s.After {
				before[at] = append(before[at], after.Node+"/"+strings.TrimPrefix(after.ID, "thing:"))
			}
			if s.With.ID != "" {
				before[at] = append(before[at], s.With.Node+"/"+strings.TrimPrefix(s.With.ID, "thing:"))
			}
		}
	}
	for _, event := range r.order {
		status, at, _ := strings.Cut(event, " ")
		if status != string(resource.Started) {
			ended[at] = true
			continue
		}
		for _, b := range before[at] {
			if !ended[b] {
				t.Errorf("%s started before %s ended", at, b)
			}
		}
	}
}

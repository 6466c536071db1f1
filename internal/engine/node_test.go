package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"pigsty/internal/engine"
	"pigsty/internal/resource"
)

// thing is a resource that only has a name: scripted sessions stand for what it is.
type thing struct{ ID, Want string }

func (*thing) Kind() string   { return "thing" }
func (r *thing) Name() string { return r.ID }

func (*thing) Diff(context.Context, *resource.Host) (*resource.Change, error) {
	panic("the engine looks at a resource itself")
}

func (*thing) Apply(context.Context, *resource.Host) error {
	panic("the engine carries out a resource itself")
}

func step(node, id string, after ...resource.Ref) resource.Step {
	return resource.Step{Node: node, Module: "m", Resource: &thing{ID: id}, After: after}
}

// with is a step that goes with another.
func with(s resource.Step, other resource.Ref) resource.Step {
	s.With = other
	return s
}

func branch(s resource.Step, name string) resource.Step {
	s.Branch = name
	return s
}

func ref(node, id string) resource.Ref { return resource.Ref{Node: node, ID: "thing:" + id} }

func graph(t testing.TB, steps ...resource.Step) *engine.Graph {
	t.Helper()
	g, err := engine.NewGraph(steps)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// node is a scripted session: it keeps to the agent's contract, on resources that are nothing.
type node struct {
	fail map[string]string // steps that fail, and why
	omit map[string]bool   // steps that the node does without
	cut  string            // the connection breaks when this step has started
	diff error             // the answer to Diff
	hook func(id string)   // called when a step starts

	mu      sync.Mutex
	batches [][]string
}

func (n *node) Diff(_ context.Context, steps []resource.Step) ([]resource.Outcome, error) {
	var told []resource.Outcome
	for i, s := range steps {
		o := resource.Outcome{Index: i, Status: resource.Pending, Change: &resource.Change{Action: resource.Create}}
		if why := n.fail[s.Resource.Name()]; why != "" {
			o = resource.Outcome{Index: i, Status: resource.Failed, Error: why}
		}
		if n.omit[s.Resource.Name()] {
			o = resource.Outcome{Index: i, Status: resource.Omitted}
		}
		told = append(told, o)
	}
	return told, n.diff
}

func (n *node) Apply(ctx context.Context, steps []resource.Step, event func(resource.Outcome)) error {
	n.begin(steps)
	barred, omitted := resource.Barred{}, map[string]bool{}
	for i, s := range steps {
		id := s.Resource.Name()
		cause := barred.Cause(s.Branch)
		if ctx.Err() != nil {
			cause = "the run was stopped"
		}
		if cause != "" {
			event(resource.Outcome{Index: i, Status: resource.Skipped, Error: cause})
			continue
		}
		if omitted[s.Branch] {
			event(resource.Outcome{Index: i, Status: resource.Omitted})
			continue
		}
		change := &resource.Change{Action: resource.Create}
		event(resource.Outcome{Index: i, Status: resource.Started, Change: change})
		if n.hook != nil {
			n.hook(id)
		}
		if id == n.cut {
			return fmt.Errorf("cut at %s", id)
		}
		o := resource.Outcome{Index: i, Status: resource.Changed, Change: change}
		if why := n.fail[id]; why != "" {
			o = resource.Outcome{Index: i, Status: resource.Failed, Error: why}
			barred.Bar(s, resource.FailedBefore(s))
		}
		if n.omit[id] {
			o = resource.Outcome{Index: i, Status: resource.Omitted}
			omitted[s.Branch] = true
		}
		event(o)
	}
	return nil
}

func (n *node) begin(steps []resource.Step) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var ids []string
	for _, s := range steps {
		ids = append(ids, s.Resource.Name())
	}
	n.batches = append(n.batches, ids)
}

// ran is what became of a run: the events in order, and each step's end.
type ran struct {
	order []string // "started a/x", "changed a/x" …
	end   map[string]resource.Status
	why   map[string]string
}

// carryOut runs the graph and fails the test when a step ends twice or not at all.
func carryOut(t tester, ctx context.Context, g *engine.Graph, nodes map[string]*node, lost map[string]error) ran {
	t.Helper()
	r := ran{end: map[string]resource.Status{}, why: map[string]string{}}
	sessions := map[string]engine.Session{}
	for name, n := range nodes {
		sessions[name] = n
	}
	engine.Apply(ctx, g, sessions, lost, func(e engine.Event) {
		at := e.Node + "/" + e.Name
		r.order = append(r.order, string(e.Status)+" "+at)
		if e.Status == resource.Started {
			return
		}
		if before, twice := r.end[at]; twice {
			t.Errorf("%s ended twice: %s and %s", at, before, e.Status)
		}
		r.end[at], r.why[at] = e.Status, e.Error
	})
	if len(r.end) != g.Len() {
		t.Errorf("%d of %d steps ended", len(r.end), g.Len())
	}
	return r
}

// tester is what testing and rapid have in common.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
}

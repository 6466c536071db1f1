package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/engine"
	"pigsty/internal/resource"
)

func TestPlanHoldsWhatFailedToo(t *testing.T) {
	g := graph(t, step("a", "x"), step("a", "y"), step("b", "x"), step("c", "x"), step("d", "x"))
	sessions := map[string]engine.Session{
		"a": &node{fail: map[string]string{"y": "disk is gone"}},
		"b": &node{diff: errors.New("the node closed the connection")},
	}
	got := engine.MakePlan(t.Context(), g, sessions, map[string]error{"c": errors.New("cannot reach c")})
	create := &resource.Change{Action: resource.Create}
	want := &engine.Plan{Nodes: []engine.NodePlan{
		{Node: "a", Steps: 2, Changes: []engine.Pending{
			{Module: "m", Kind: "thing", Name: "x", Change: create},
			{Module: "m", Kind: "thing", Name: "y", Error: "disk is gone"},
		}},
		{Node: "b", Steps: 1, Error: "the node closed the connection"},
		{Node: "c", Error: "cannot reach c"},
		{Node: "d", Error: "nobody connected to this node"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if got.Empty() || !got.Failed() || got.Changes() != 1 {
		t.Errorf("empty %t, failed %t, %d changes", got.Empty(), got.Failed(), got.Changes())
	}
}

func TestEmptyPlan(t *testing.T) {
	told := []resource.Outcome{{Index: 0, Status: resource.InOrder, Notes: []string{"a container"}}}
	p := engine.MakePlan(t.Context(), graph(t, step("a", "x")), map[string]engine.Session{"a": answer(told)}, nil)
	if !p.Empty() || len(p.Nodes[0].Notes) != 1 {
		t.Errorf("%+v", p)
	}
	p.Nodes[0].Changes = []engine.Pending{{Error: "unreadable"}}
	if p.Empty() {
		t.Error("a plan with a step that could not be looked at counts as empty")
	}
}

func TestPlanSurvivesJSON(t *testing.T) {
	p := &engine.Plan{Nodes: []engine.NodePlan{{Node: "a", Name: "one", Steps: 3, Notes: []string{"n"}, Changes: []engine.Pending{
		{Module: "m", Kind: "k", Name: "x", Change: &resource.Change{
			Action: resource.Update, Impact: resource.Restart, Effect: "e", Diff: "d", Fields: []resource.Field{{Name: "f", Before: "1", After: "2"}},
		}},
		{Module: "m", Kind: "k", Name: "y", Error: "e"},
	}}}}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back engine.Plan
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, &back); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
}

// answer is a session that answers every Diff alike.
type answer []resource.Outcome

func (a answer) Diff(context.Context, []resource.Step) ([]resource.Outcome, error) { return a, nil }

func (answer) Apply(context.Context, []resource.Step, func(resource.Outcome)) error { return nil }

func TestDigest(t *testing.T) {
	digest := func(change func(*resource.Step, *engine.Plan), key string) string {
		s := step("a", "x")
		s.Resource = &thing{ID: "x", Want: "secret 1"}
		p := &engine.Plan{Nodes: []engine.NodePlan{{
			Node: "a", Steps: 2, Name: "one", Notes: []string{"n"},
			Changes: []engine.Pending{{Kind: "thing", Name: "x", Change: &resource.Change{Action: resource.Update}}},
		}}}
		if change != nil {
			change(&s, p)
		}
		got, err := p.Digest(graph(t, step("a", "0"), s), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	base := digest(nil, "k")
	for name, same := range map[string]func(*resource.Step, *engine.Plan){
		"again":          nil,
		"another name":   func(_ *resource.Step, p *engine.Plan) { p.Nodes[0].Name = "two" },
		"other notes":    func(_ *resource.Step, p *engine.Plan) { p.Nodes[0].Notes = nil },
		"more looked at": func(_ *resource.Step, p *engine.Plan) { p.Nodes[0].Steps = 9 },
	} {
		if digest(same, "k") != base {
			t.Errorf("%s: another digest although the same would be done", name)
		}
	}
	for name, other := range map[string]func(*resource.Step, *engine.Plan){
		"another secret, which no change shows": func(s *resource.Step, _ *engine.Plan) { s.Resource.(*thing).Want = "secret 2" },
		"another action":                        func(_ *resource.Step, p *engine.Plan) { p.Nodes[0].Changes[0].Change.Action = resource.Delete },
		"one change less":                       func(_ *resource.Step, p *engine.Plan) { p.Nodes[0].Changes = nil },
		"node is down":                          func(_ *resource.Step, p *engine.Plan) { p.Nodes[0].Error = "down" },
		"waits for another":                     func(s *resource.Step, _ *engine.Plan) { s.After = []resource.Ref{ref("a", "0")} },
		"notifies another":                      func(s *resource.Step, _ *engine.Plan) { s.Notify = []resource.Notification{resource.ReloadOf("u")} },
	} {
		if digest(other, "k") == base {
			t.Errorf("%s: the same digest", name)
		}
	}
	if digest(nil, "other key") == base {
		t.Error("the key does not matter: passwords could be tried against the digest")
	}
}

package engine_test

import (
	"slices"
	"strings"
	"testing"

	"pigsty/internal/engine"
	"pigsty/internal/resource"
)

func TestGraphRefusesMistakesOfModules(t *testing.T) {
	for name, c := range map[string]struct {
		steps []resource.Step
		want  []string
	}{
		"listed twice": {
			[]resource.Step{step("a", "x"), step("b", "x"), step("a", "x")},
			[]string{"thing:x is listed twice on a"},
		},
		"edge to nothing": {
			[]resource.Step{step("a", "x", ref("b", "y"))},
			[]string{"thing:x on a waits for thing:y on b, which nobody lists"},
		},
		"circle of edges": {
			[]resource.Step{step("a", "x", ref("b", "y")), step("b", "y", ref("a", "x"))},
			[]string{"circle", "thing:x on a", "thing:y on b"},
		},
		"edge to itself": {
			[]resource.Step{step("a", "x", ref("a", "x"))},
			[]string{"circle", "thing:x on a"},
		},
		"circle through the listing order": {
			[]resource.Step{step("a", "1", ref("b", "2")), step("a", "2"), step("b", "1", ref("a", "2")), step("b", "2")},
			[]string{"circle", "thing:1 on a", "thing:1 on b"},
		},
		"goes with nothing": {
			[]resource.Step{with(step("a", "x"), ref("b", "y"))},
			[]string{"thing:x on a goes with thing:y on b, which nobody lists"},
		},
		"goes with a step that waits for it": {
			[]resource.Step{with(step("a", "x"), ref("b", "y")), step("b", "y", ref("a", "x"))},
			[]string{"circle", "thing:x on a", "thing:y on b"},
		},
		"edge to a later step of its own node": {
			[]resource.Step{step("a", "1", ref("a", "2")), step("a", "2")},
			[]string{"circle", "thing:1 on a"},
		},
	} {
		_, err := engine.NewGraph(c.steps)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
	}
}

func TestGraphKeepsListingOrder(t *testing.T) {
	g := graph(t, step("b", "1"), step("a", "1"), step("b", "2", ref("a", "1")), step("a", "2"))
	if got := g.Nodes(); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("nodes %q", got)
	}
	if got := names(g); got != "b/1 b/2 a/1 a/2" || g.Len() != 4 {
		t.Errorf("%d steps: %s", g.Len(), got)
	}
}

func TestSelect(t *testing.T) {
	etcd := step("a", "etcd")
	etcd.Module = "etcd"
	pg := step("b", "pg", ref("a", "etcd"), ref("c", "pg"))
	whole := graph(t, step("a", "base"), etcd, step("b", "base"), pg, step("c", "pg"))
	for _, c := range []struct {
		nodes, modules []string
		want           string
		edges          int // that are left on b/pg
	}{
		{nil, nil, "a/base a/etcd b/base b/pg c/pg", 2},
		{[]string{"b"}, nil, "b/base b/pg", 0},
		{[]string{"c", "b"}, nil, "b/base b/pg c/pg", 1},
		{nil, []string{"m"}, "a/base b/base b/pg c/pg", 1},
		{nil, []string{"etcd"}, "a/etcd", 0},
		{[]string{"b"}, []string{"etcd"}, "", 0},
	} {
		g := whole.Select(c.nodes, c.modules)
		if got := names(g); got != c.want {
			t.Errorf("select %v %v: %s, want %s", c.nodes, c.modules, got, c.want)
		}
		for _, s := range g.Steps("b") {
			if s.Resource.Name() == "pg" && len(s.After) != c.edges {
				t.Errorf("select %v %v: pg on b waits for %v, want %d", c.nodes, c.modules, s.After, c.edges)
			}
		}
	}
	if got := whole.Steps("b")[1].After; len(got) != 2 {
		t.Errorf("selecting took edges from the graph itself: %v are left", got)
	}
}

// A step that goes with another one is kept with it only, and so is what is left of the edges to it.
func TestSelectKeepsTogether(t *testing.T) {
	whole := graph(t, step("a", "sender"), with(step("m", "target"), ref("a", "sender")), with(step("m", "more"), ref("m", "target")), step("m", "after", ref("m", "target")))
	for node, want := range map[string]string{"m": "m/after", "a": "a/sender"} {
		g := whole.Select([]string{node}, nil)
		if got := names(g); got != want {
			t.Errorf("select %s: %s, want %s", node, got, want)
		}
		if steps := g.Steps("m"); len(steps) > 0 && len(steps[0].After) > 0 {
			t.Errorf("select %s: it waits for what is left out: %v", node, steps[0].After)
		}
	}
	if got := names(whole.Select([]string{"a", "m"}, nil)); got != "a/sender m/target m/more m/after" {
		t.Errorf("select both: %s", got)
	}
}

// names lists a graph's steps in order.
func names(g *engine.Graph) string {
	var all []string
	for _, node := range g.Nodes() {
		for _, s := range g.Steps(node) {
			all = append(all, node+"/"+s.Resource.Name())
		}
	}
	return strings.Join(all, " ")
}

// Package engine orders steps over nodes, plans them and carries them out in parallel. It knows
// steps and the edges between them, and nothing of what any resource is.
package engine

import (
	"fmt"
	"slices"
	"strings"

	"pigsty/internal/resource"
)

// Graph is everything wanted: steps per node in listing order, and the edges between nodes.
type Graph struct {
	nodes []string
	steps map[string][]resource.Step
	// awaited are the steps that others wait for: only their end can let somebody go on.
	awaited map[resource.Ref]bool
}

// NewGraph checks that every step is addressed once, that edges lead to steps, and that
// nothing waits for itself. What it refuses is a mistake in a module, not in the inventory.
func NewGraph(steps []resource.Step) (*Graph, error) {
	g := &Graph{steps: map[string][]resource.Step{}, awaited: map[resource.Ref]bool{}}
	seen := map[resource.Ref]bool{}
	for _, s := range steps {
		ref := s.Ref()
		if seen[ref] {
			return nil, fmt.Errorf("%s is listed twice on %s, the second time by module %s", ref.ID, ref.Node, s.Module)
		}
		seen[ref] = true
		if _, known := g.steps[s.Node]; !known {
			g.nodes = append(g.nodes, s.Node)
		}
		g.steps[s.Node] = append(g.steps[s.Node], s)
	}
	for _, s := range steps {
		for _, after := range s.After {
			if !seen[after] {
				return nil, fmt.Errorf("%s on %s waits for %s on %s, which nobody lists", resource.ID(s.Resource), s.Node, after.ID, after.Node)
			}
			g.awaited[after] = true
		}
		if with := s.With; with != (resource.Ref{}) {
			if !seen[with] {
				return nil, fmt.Errorf("%s on %s goes with %s on %s, which nobody lists", resource.ID(s.Resource), s.Node, with.ID, with.Node)
			}
			g.awaited[with] = true
		}
	}
	return g, g.checkOrder()
}

// checkOrder walks the steps as a run would and fails when no node can go on.
func (g *Graph) checkOrder() error {
	done := map[resource.Ref]bool{}
	next := map[string]int{}
	for left := g.Len(); left > 0; {
		before := left
		for _, node := range g.nodes {
			for next[node] < len(g.steps[node]) && ready(g.steps[node][next[node]], done) {
				done[g.steps[node][next[node]].Ref()] = true
				next[node]++
				left--
			}
		}
		if left == before {
			return fmt.Errorf("steps wait for each other in a circle: %s", g.stuck(next))
		}
	}
	return nil
}

func ready(s resource.Step, done map[resource.Ref]bool) bool {
	for _, after := range s.After {
		if !done[after] {
			return false
		}
	}
	return s.With == (resource.Ref{}) || done[s.With]
}

func (g *Graph) stuck(next map[string]int) string {
	var waiting []string
	for _, node := range g.nodes {
		if i := next[node]; i < len(g.steps[node]) {
			waiting = append(waiting, fmt.Sprintf("%s on %s", resource.ID(g.steps[node][i].Resource), node))
		}
	}
	return strings.Join(waiting, ", ")
}

// Len is the number of steps.
func (g *Graph) Len() int {
	n := 0
	for _, steps := range g.steps {
		n += len(steps)
	}
	return n
}

// Nodes are the nodes that have steps, in the order in which they were first listed.
func (g *Graph) Nodes() []string { return g.nodes }

// Steps are a node's steps in listing order.
func (g *Graph) Steps(node string) []resource.Step { return g.steps[node] }

// Concerns tells whether some step on the node is for the node itself. One that only registers
// others may do so for several runs at once.
func (g *Graph) Concerns(node string) bool {
	return slices.ContainsFunc(g.steps[node], func(s resource.Step) bool { return len(s.About) == 0 || slices.Contains(s.About, node) })
}

// Select keeps the steps of the given nodes and modules; an empty list keeps all. Edges to
// steps that are left out are dropped: whoever selects says that the rest is as it should be.
func (g *Graph) Select(nodes, modules []string) *Graph {
	chosen := func(node string) bool { return len(nodes) == 0 || slices.Contains(nodes, node) }
	return g.Keep(func(s resource.Step) bool {
		return (chosen(s.Node) || slices.ContainsFunc(s.About, chosen)) && (len(modules) == 0 || slices.Contains(modules, s.Module))
	})
}

// Keep keeps some steps; see Select for edges to the others. A step that goes with another one goes with
// it.
func (g *Graph) Keep(wanted func(resource.Step) bool) *Graph {
	asked, with := map[resource.Ref]bool{}, map[resource.Ref]resource.Ref{}
	for _, node := range g.nodes {
		for _, s := range g.steps[node] {
			asked[s.Ref()], with[s.Ref()] = wanted(s), s.With
		}
	}
	stays := func(ref resource.Ref) bool {
		for ; ref != (resource.Ref{}); ref = with[ref] {
			if !asked[ref] {
				return false
			}
		}
		return true
	}
	kept := &Graph{steps: map[string][]resource.Step{}, awaited: g.awaited}
	present := map[resource.Ref]bool{}
	for _, node := range g.nodes {
		for _, s := range g.steps[node] {
			if stays(s.Ref()) {
				kept.steps[node] = append(kept.steps[node], s)
				present[s.Ref()] = true
			}
		}
		if len(kept.steps[node]) > 0 {
			kept.nodes = append(kept.nodes, node)
		}
	}
	for _, steps := range kept.steps {
		for i, s := range steps {
			steps[i].After = slices.DeleteFunc(slices.Clone(s.After), func(r resource.Ref) bool { return !present[r] })
		}
	}
	return kept
}

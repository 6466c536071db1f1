package engine

import (
	"context"
	"fmt"
	"sync"

	"pigsty/internal/resource"
)

// Session is the engine's view of a connection to a node.
type Session interface {
	Diff(ctx context.Context, steps []resource.Step) ([]resource.Outcome, error)
	Apply(ctx context.Context, steps []resource.Step, event func(resource.Outcome)) error
}

// Plan says what an apply would do: a value that prints, stores and compares.
type Plan struct {
	Nodes []NodePlan `json:"nodes"`
}

// NodePlan is one node's part of a plan.
type NodePlan struct {
	Node    string    `json:"node"`
	Name    string    `json:"name,omitempty"`  // nodename, for people
	Error   string    `json:"error,omitempty"` // why the node could not be looked at
	Steps   int       `json:"steps"`           // how many were looked at
	Changes []Pending `json:"changes,omitempty"`
	Notes   []string  `json:"notes,omitempty"`
}

// Pending is a step that differs, or that could not be observed.
type Pending struct {
	Module string           `json:"module"`
	Kind   string           `json:"kind"`
	Name   string           `json:"name"`
	Change *resource.Change `json:"change,omitempty"`
	Error  string           `json:"error,omitempty"`
}

// Empty is true when nothing is to be done and everything could be looked at.
func (p *Plan) Empty() bool { return p.Changes() == 0 && !p.Failed() }

// Changes counts the changes on all nodes.
func (p *Plan) Changes() int {
	n := 0
	for _, node := range p.Nodes {
		for _, c := range node.Changes {
			if c.Change != nil {
				n++
			}
		}
	}
	return n
}

// Failed is true when a node or a step could not be looked at.
func (p *Plan) Failed() bool { return len(p.Unseen()) > 0 }

// Unseen names the nodes and the steps that could not be looked at, each with the reason, for
// people.
func (p *Plan) Unseen() []string {
	var unseen []string
	for _, node := range p.Nodes {
		label := node.Node
		if node.Name != "" && node.Name != node.Node {
			label = node.Name + " " + node.Node
		}
		if node.Error != "" {
			unseen = append(unseen, label+": "+node.Error)
		}
		for _, c := range node.Changes {
			if c.Error != "" {
				unseen = append(unseen, fmt.Sprintf("%s: %s %s: %s", label, c.Kind, c.Name, c.Error))
			}
		}
	}
	return unseen
}

// maxPlanning bounds how many nodes are being asked at once: each has all that is wanted of it
// in memory as a message meanwhile.
const maxPlanning = 128

// MakePlan looks at all nodes at the same time. A node that fails is part of the plan, not an error; one
// without a session failed for the reason given in lost.
func MakePlan(ctx context.Context, g *Graph, sessions map[string]Session, lost map[string]error) *Plan {
	answers := make([]answer, len(g.Nodes()))
	slots := make(chan struct{}, maxPlanning)
	var group sync.WaitGroup
	for i, node := range g.Nodes() {
		if sessions[node] == nil {
			answers[i].problem = lostCause(lost, node)
			continue
		}
		group.Go(func() {
			slots <- struct{}{}
			told, err := sessions[node].Diff(ctx, g.Steps(node))
			answers[i] = answer{asked: len(g.Steps(node)), told: told}
			if err != nil {
				answers[i].problem = err.Error()
			}
			<-slots
		})
	}
	group.Wait()
	omitted := map[resource.Ref]bool{}
	for i, node := range g.Nodes() {
		for _, o := range answers[i].told {
			if o.Status == resource.Omitted {
				omitted[g.Steps(node)[o.Index].Ref()] = true
			}
		}
	}
	p := &Plan{Nodes: make([]NodePlan, len(g.Nodes()))}
	for i, node := range g.Nodes() {
		p.Nodes[i] = planNode(node, g.Steps(node), answers[i], omitted)
	}
	return p
}

// answer is what a node told of its steps, or why it could not.
type answer struct {
	asked   int
	told    []resource.Outcome
	problem string
}

// lostCause is why a node has no session.
func lostCause(lost map[string]error, node string) string {
	if err := lost[node]; err != nil {
		return err.Error()
	}
	return "nobody connected to this node"
}

// planNode leaves out what goes with a step that its node does without.
func planNode(node string, steps []resource.Step, a answer, omitted map[resource.Ref]bool) NodePlan {
	n := NodePlan{Node: node, Steps: a.asked, Error: a.problem}
	if a.problem != "" {
		return n
	}
	for _, o := range a.told {
		n.Notes = append(n.Notes, o.Notes...)
		step := steps[o.Index]
		if o.Change == nil && o.Error == "" || omitted[step.With] {
			continue
		}
		n.Changes = append(n.Changes, Pending{
			Module: step.Module, Kind: step.Resource.Kind(), Name: step.Resource.Name(), Change: o.Change, Error: o.Error,
		})
	}
	return n
}

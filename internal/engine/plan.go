package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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
func (p *Plan) Failed() bool {
	for _, node := range p.Nodes {
		if node.Error != "" {
			return true
		}
		for _, c := range node.Changes {
			if c.Error != "" {
				return true
			}
		}
	}
	return false
}

// Digest identifies what the plan would change, whatever else was observed. Two plans with the
// same digest do the same.
func (p *Plan) Digest() string {
	h := sha256.New()
	for _, node := range p.Nodes {
		// Encoding plain structs into a hash cannot fail.
		_ = json.NewEncoder(h).Encode([]any{node.Node, node.Error, node.Changes})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// MakePlan looks at all nodes at once. A node that fails is part of the plan, not an error.
func MakePlan(ctx context.Context, g *Graph, sessions map[string]Session) *Plan {
	p := &Plan{Nodes: make([]NodePlan, len(g.Nodes()))}
	var group sync.WaitGroup
	for i, node := range g.Nodes() {
		group.Go(func() { p.Nodes[i] = planNode(ctx, node, g.Steps(node), sessions[node]) })
	}
	group.Wait()
	return p
}

func planNode(ctx context.Context, node string, steps []resource.Step, s Session) NodePlan {
	n := NodePlan{Node: node, Steps: len(steps)}
	if s == nil {
		return n
	}
	told, err := s.Diff(ctx, steps)
	if err != nil {
		n.Error = err.Error()
		return n
	}
	for _, o := range told {
		n.Notes = append(n.Notes, o.Notes...)
		if o.Change == nil && o.Error == "" {
			continue
		}
		step := steps[o.Index]
		n.Changes = append(n.Changes, Pending{
			Module: step.Module, Kind: step.Resource.Kind(), Name: step.Resource.Name(), Change: o.Change, Error: o.Error,
		})
	}
	return n
}

package controller

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"pigsty/internal/agent"
	"pigsty/internal/engine"
	"pigsty/internal/model"
	"pigsty/internal/module"
)

// Scope says which part of a site a run is about. Empty fields mean everything.
type Scope struct {
	Limit   string   // Ansible's limit pattern
	Modules []string // names of module.Order
}

// Work is a compiled graph with open connections, ready to be planned and applied. Close it.
type Work struct {
	Graph *engine.Graph
	Fleet *Fleet

	site *Site
}

// Prepare connects to the nodes in scope and compiles what they should be. Members of the same
// clusters are asked too, because who leads decides where cluster-wide steps run.
func (s *Site) Prepare(ctx context.Context, scope Scope, dial Dialer) (*Work, error) {
	for _, name := range scope.Modules {
		if !slices.Contains(module.Names(), name) {
			return nil, fmt.Errorf("module %q is not known: choose from %s", name, strings.Join(module.Names(), ", "))
		}
	}
	chosen, err := s.chosen(scope.Limit)
	if err != nil {
		return nil, err
	}
	fleet := s.Connect(ctx, s.related(chosen), dial)
	s.Warnings.Add(module.Warnings(s.Deployment)...)
	graph, err := engine.NewGraph(module.Compile(s.Deployment))
	if err != nil {
		fleet.Close()
		return nil, fmt.Errorf("compile: %w", err)
	}
	return &Work{Graph: graph.Select(chosen, scope.Modules), Fleet: fleet, site: s}, nil
}

// chosen is the hosts of a limit pattern, all when it is empty.
func (s *Site) chosen(limit string) ([]string, error) {
	if limit == "" {
		return s.Inventory.Hosts(), nil
	}
	hosts, err := s.Inventory.Limit(limit)
	if err == nil && len(hosts) == 0 {
		err = fmt.Errorf("limit %q matches no host of %s", limit, s.Inventory.File())
	}
	return hosts, err
}

// related adds to the chosen hosts the members of their clusters and of the DCS.
func (s *Site) related(chosen []string) []*model.Node {
	var nodes []*model.Node
	for _, n := range s.Deployment.Nodes {
		if slices.Contains(chosen, n.Addr) || n.Etcd != nil || n.Pg != nil && n.Pg.Cluster.HasAny(chosen) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// Close ends the connections.
func (w *Work) Close() { w.Fleet.Close() }

// Plan looks at all nodes and says what an apply would do.
func (w *Work) Plan(ctx context.Context) *engine.Plan {
	p := engine.MakePlan(ctx, w.Graph, w.Fleet.engineSessions(), w.Fleet.Lost)
	names := w.Names()
	for i := range p.Nodes {
		p.Nodes[i].Name = names[p.Nodes[i].Node]
	}
	return p
}

// Digest identifies what applying the plan would do; see engine.Plan.
func (w *Work) Digest(p *engine.Plan) (string, error) {
	return p.Digest(w.Graph, w.site.Deployment.Derive("plan digest"))
}

// Lock takes the apply lock of every node in the graph, or fails naming who has it.
func (w *Work) Lock(ctx context.Context, purpose string) error {
	me := agent.Holder{User: "unknown", PID: os.Getpid(), Since: time.Now().UTC(), Purpose: purpose}
	if u, err := user.Current(); err == nil {
		me.User = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		me.Host = host
	}
	for _, node := range w.Graph.Nodes() {
		session := w.Fleet.Sessions[node]
		if session == nil {
			continue
		}
		other, err := session.Lock(ctx, me)
		if err != nil {
			return fmt.Errorf("lock %s: %w", node, err)
		}
		if other != nil {
			return fmt.Errorf("another run is changing %s: %s; wait for it, then try again", node, other)
		}
	}
	return nil
}

// Apply carries the graph out and tells of every step.
func (w *Work) Apply(ctx context.Context, emit func(engine.Event)) {
	engine.Apply(ctx, w.Graph, w.Fleet.engineSessions(), w.Fleet.Lost, emit)
}

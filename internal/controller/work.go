package controller

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"sync"
	"time"

	"pigsty/internal/agent"
	"pigsty/internal/engine"
	"pigsty/internal/model"
	"pigsty/internal/module"
	"pigsty/internal/resource"
)

// Request says which part of a site a run is about, and how. Empty fields mean everything, in the
// usual way.
type Request struct {
	Limit   string   // Ansible's limit pattern
	Modules []string // names of module.Order
	// Switchover hands a primary's role to a replica where the primary has to restart for a
	// setting: clients wait for a promotion instead of a restart, and the primary moves.
	Switchover bool
}

// Work is a compiled graph with open connections, ready to be planned and applied. Close it.
type Work struct {
	Graph *engine.Graph
	Fleet *Fleet

	site   *Site
	locked bool // locks were asked for
}

// Prepare connects to the nodes in scope and compiles what they should be. Members of the same
// clusters are asked too, because who leads decides where cluster-wide steps run. Wishes that the
// nodes' systems cannot fulfil without harm are an error, see diag.From.
func (s *Site) Prepare(ctx context.Context, r Request, dial Dialer) (*Work, error) {
	for _, name := range r.Modules {
		if !slices.Contains(module.Names(), name) {
			return nil, fmt.Errorf("module %q is not known: choose from %s", name, strings.Join(module.Names(), ", "))
		}
	}
	chosen, err := s.chosen(r.Limit)
	if err != nil {
		return nil, err
	}
	fleet := s.Connect(ctx, s.related(chosen), dial)
	s.Deployment.Switchover = r.Switchover
	if err := s.readAptSources(ctx, fleet, s.Deployment.RepositoryUsers()); err != nil {
		fleet.Close()
		return nil, err
	}
	problems := module.Warnings(s.Deployment)
	s.Warnings.Add(problems.Warnings()...)
	if err := problems.Err(); err != nil {
		fleet.Close()
		return nil, err
	}
	compile := module.Compile
	if r.Limit == "" && len(r.Modules) == 0 {
		compile = module.CompileWhole
	}
	graph, err := engine.NewGraph(compile(s.Deployment))
	if err != nil {
		fleet.Close()
		return nil, fmt.Errorf("compile: %w", err)
	}
	graph = graph.Select(chosen, r.Modules).Keep(func(step resource.Step) bool {
		return !fleet.helpless(step) || slices.Contains(chosen, step.Node)
	})
	return &Work{Graph: graph, Fleet: fleet, site: s}, nil
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

// helpless tells of a step for another node that cannot be done, as its own is lost.
func (f *Fleet) helpless(s resource.Step) bool { return len(s.About) > 0 && f.Lost[s.Node] != nil }

// related adds to the chosen hosts the members of their clusters and of the DCS, and those that
// they are registered with.
func (s *Site) related(chosen []string) []*model.Node {
	var nodes []*model.Node
	for _, n := range s.Deployment.Nodes {
		registrar := n.Meta != nil && (n.Meta.Param.PrometheusEnabled || n.Meta.Param.NginxEnabled)
		if slices.Contains(chosen, n.Addr) || n.Etcd != nil || registrar || n.Pg != nil && n.Pg.Cluster.HasAny(chosen) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// Close ends the connections. After a run that held locks it waits until they are free again.
func (w *Work) Close() {
	if w.locked {
		w.Fleet.Close()
	} else {
		w.Fleet.Leave()
	}
}

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

// Lock takes the apply lock of every node that the graph concerns, or fails naming who has it. A run that
// has lost its controller is waited for; waiting is told, once a node, of a wait that takes more
// than two seconds.
func (w *Work) Lock(ctx context.Context, purpose string, waiting func(node string, holder agent.Holder)) error {
	w.locked = true
	me := agent.Holder{User: "unknown", PID: os.Getpid(), Since: time.Now().UTC(), Purpose: purpose}
	if u, err := user.Current(); err == nil {
		me.User = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		me.Host = host
	}
	var nodes []string
	for _, node := range w.Graph.Nodes() {
		if w.Fleet.Sessions[node] != nil && w.Graph.Concerns(node) {
			nodes = append(nodes, node)
		}
	}
	// The first one by itself: of two runs on the same nodes one gets it, and so all of them.
	first := min(1, len(nodes))
	if err := w.lockAll(ctx, me, nodes[:first], waiting); err != nil {
		return err
	}
	return w.lockAll(ctx, me, nodes[first:], waiting)
}

// lockAll takes the locks of some nodes at once.
func (w *Work) lockAll(ctx context.Context, me agent.Holder, nodes []string, waiting func(string, agent.Holder)) error {
	errs := make([]error, len(nodes))
	var group sync.WaitGroup
	for i, node := range nodes {
		group.Go(func() {
			other, err := w.Fleet.Sessions[node].Lock(ctx, me, func(h agent.Holder) { waiting(node, h) })
			switch {
			case err != nil:
				errs[i] = fmt.Errorf("lock %s: %w", node, err)
			case other != nil:
				errs[i] = fmt.Errorf("another run is changing %s: %s; wait for it, then try again", node, other)
			}
		})
	}
	group.Wait()
	return cmp.Or(errs...)
}

// Apply carries the graph out and tells of every step.
func (w *Work) Apply(ctx context.Context, emit func(engine.Event)) {
	engine.Apply(ctx, w.Graph, w.Fleet.engineSessions(), w.Fleet.Lost, emit)
}

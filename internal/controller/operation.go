package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pigsty/internal/engine"
	"pigsty/internal/model"
	"pigsty/internal/module"
	"pigsty/internal/operation"
	"pigsty/internal/resource"
)

// PrepareOperation connects to the cluster that the name is of, or that an instance of that name
// belongs to, or what stands before a slash in it, and compiles what is to be done. Members whose
// nodes cannot be reached are in Fleet.Lost: it is the verb's business whether that matters.
func (s *Site) PrepareOperation(ctx context.Context, name string, list operation.Steps, dial Dialer) (*Work, error) {
	name, _, _ = strings.Cut(name, "/")
	c, err := s.cluster(name)
	if err != nil {
		return nil, err
	}
	return s.prepareOperation(ctx, c, members(c), list, dial)
}

// PrepareFault is PrepareOperation for what concerns the cluster's DCS, too: it connects to the
// nodes of etcd as well.
func (s *Site) PrepareFault(ctx context.Context, name string, list operation.Steps, dial Dialer) (*Work, error) {
	c, err := s.cluster(name)
	if err != nil {
		return nil, err
	}
	nodes := members(c)
	for _, m := range c.Etcd.Members {
		if m.Node != nil && !slices.Contains(nodes, m.Node) {
			nodes = append(nodes, m.Node)
		}
	}
	return s.prepareOperation(ctx, c, nodes, list, dial)
}

// members are the nodes of a cluster.
func members(c *model.PgCluster) []*model.Node {
	var nodes []*model.Node
	for _, member := range c.Instances {
		nodes = append(nodes, member.Node)
	}
	return nodes
}

func (s *Site) prepareOperation(ctx context.Context, c *model.PgCluster, nodes []*model.Node, list operation.Steps, dial Dialer) (*Work, error) {
	fleet := s.Connect(ctx, nodes, dial)
	steps, err := list(s.Deployment, c)
	if err == nil {
		s.further(ctx, fleet, steps, dial)
	}
	return s.work(fleet, steps, err)
}

// further connects to those that the steps are to be done on besides the nodes that were asked for
// facts.
func (s *Site) further(ctx context.Context, fleet *Fleet, steps []resource.Step, dial Dialer) {
	var nodes []*model.Node
	for _, step := range steps {
		n := s.Deployment.Node(step.Node)
		if n != nil && len(step.About) > 0 && fleet.Sessions[n.Addr] == nil && fleet.Lost[n.Addr] == nil && !slices.Contains(nodes, n) {
			nodes = append(nodes, n)
		}
	}
	fleet.join(s.dial(ctx, nodes, dial))
}

// PrepareNodeRemoval connects to a node and to etcd's, and compiles what takes it out.
func (s *Site) PrepareNodeRemoval(ctx context.Context, addr string, how module.NodeRemoval, dial Dialer) (*Work, error) {
	fleet := s.Connect(ctx, s.related([]string{addr}), dial)
	steps, err := module.RemoveNode(s.Deployment, addr, how)
	return s.work(fleet, steps, err)
}

// work is the steps that were compiled from what a fleet's nodes say. Where they could not be, nodes
// that were not reached may be why.
func (s *Site) work(fleet *Fleet, steps []resource.Step, err error) (*Work, error) {
	if err != nil {
		fleet.Close()
		return nil, fleet.explain(err)
	}
	graph, err := engine.NewGraph(slices.DeleteFunc(steps, fleet.helpless))
	if err != nil {
		fleet.Close()
		return nil, fmt.Errorf("compile: %w", err)
	}
	return &Work{Graph: graph, Fleet: fleet, site: s}, nil
}

// explain adds to an error why nodes could not be reached.
func (f *Fleet) explain(err error) error {
	for _, node := range slices.Sorted(maps.Keys(f.Lost)) {
		err = fmt.Errorf("%w\n%s: %w", err, node, f.Lost[node])
	}
	return err
}

// cluster finds the cluster of a name, which may be that of one of its instances.
func (s *Site) cluster(name string) (*model.PgCluster, error) {
	var names []string
	for _, c := range s.Deployment.Pg {
		named := func(i *model.PgInstance) bool { return i.Name == name }
		if c.Name == name || slices.ContainsFunc(c.Instances, named) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return nil, fmt.Errorf("%s has no cluster and no instance %s; its clusters are %s", s.Inventory.File(), name, strings.Join(names, ", "))
}

// instance finds the instance of a name.
func (s *Site) instance(name string) (*model.PgInstance, error) {
	for _, c := range s.Deployment.Pg {
		for _, i := range c.Instances {
			if i.Name == name {
				return i, nil
			}
		}
	}
	return nil, fmt.Errorf("%s has no instance %s", s.Inventory.File(), name)
}

package controller

import (
	"context"
	"fmt"

	"pigsty/internal/engine"
	"pigsty/internal/model"
	"pigsty/internal/module"
)

// PrepareRemoval connects to an instance's cluster and compiles what takes the instance off its
// node. It refuses the instance that leads, and one that pg_safeguard protects.
func (s *Site) PrepareRemoval(ctx context.Context, name string, dial Dialer) (*Work, error) {
	i, err := s.instance(name)
	if err != nil {
		return nil, err
	}
	if i.Param.PgSafeguard {
		return nil, fmt.Errorf("%s is protected by pg_safeguard; to remove it all the same, say -e pg_safeguard=false", name)
	}
	var nodes []*model.Node
	for _, member := range i.Cluster.Instances {
		nodes = append(nodes, member.Node)
	}
	fleet := s.Connect(ctx, nodes, dial)
	if lost := fleet.Lost[i.Node.Addr]; lost != nil {
		fleet.Close()
		return nil, lost
	}
	if i.Cluster.Leader() == i {
		fleet.Close()
		return nil, fmt.Errorf("%s is the primary of %s: switch over first (pigsty pg switchover %s), then remove it",
			name, i.Cluster.Name, i.Cluster.Name)
	}
	graph, err := engine.NewGraph(module.RemoveInstance(s.Deployment, i))
	if err != nil {
		fleet.Close()
		return nil, err
	}
	return &Work{Graph: graph, Fleet: fleet, site: s}, nil
}

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

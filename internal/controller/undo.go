package controller

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"pigsty/internal/model"
	"pigsty/internal/module"
	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// Kept lists what the site's nodes keep of what was removed, oldest first, and why nodes could not
// be asked.
func (s *Site) Kept(ctx context.Context, dial Dialer) ([]operation.Kept, map[string]error) {
	fleet := s.Connect(ctx, s.Deployment.Nodes, dial)
	defer fleet.Leave()
	return s.kept(ctx, fleet), fleet.Lost
}

func (s *Site) kept(ctx context.Context, fleet *Fleet) []operation.Kept {
	all := []operation.Kept{} // none is a list as well
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, n := range s.Deployment.Nodes {
		session := fleet.Sessions[n.Addr]
		if session == nil {
			continue
		}
		group.Go(func() {
			things, err := session.Asides(ctx, serverOf(n))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				fleet.Lost[n.Addr] = err
			}
			for _, a := range things {
				all = append(all, keptOn(n, a))
			}
		})
	}
	group.Wait()
	slices.SortFunc(all, func(a, b operation.Kept) int {
		return cmp.Or(a.Removed.Compare(b.Removed), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Item, b.Item))
	})
	return all
}

// serverOf is the way to the node's own PostgreSQL; nil where none is to run.
func serverOf(n *model.Node) *postgres.Conn {
	if n.Pg == nil || n.Facts.Patroni == nil {
		return nil
	}
	p := n.Pg.Param
	return &postgres.Conn{Socket: p.PgLocalhost, Port: p.PgPort, User: p.PgDbsu}
}

// keptOn adds the node, and the name of what lies in a server, which does not know its cluster's.
func keptOn(n *model.Node, a resource.Aside) operation.Kept {
	if a.Name == "" {
		a.Cluster = n.Pg.Cluster.Name
		a.Name = a.Cluster + "/" + a.Item
	}
	return operation.Kept{Node: n.Addr, NodeName: n.Name, Aside: a}
}

// Undoing says what is to be brought back, or deleted.
type Undoing struct {
	Name string // under which it was removed
	What string // kind of thing, where two have the name; empty otherwise
	// Forget deletes it for good.
	Forget bool
	// SkipUnreachable goes on without members of the cluster whose nodes cannot be reached.
	SkipUnreachable bool
}

// PrepareUndo connects to all nodes, looks for what is kept under the name, and compiles what brings
// it back or deletes it.
func (s *Site) PrepareUndo(ctx context.Context, u Undoing, dial Dialer) (*Work, error) {
	fleet := s.Connect(ctx, s.Deployment.Nodes, dial)
	things, err := module.Named(s.kept(ctx, fleet), u.Name, u.What)
	if err != nil {
		return s.work(fleet, nil, err)
	}
	if u.Forget {
		return s.work(fleet, module.Destroy(s.Deployment, things), nil)
	}
	if err := s.allThere(things, u); err != nil {
		return s.work(fleet, nil, err)
	}
	steps, err := module.Undo(s.Deployment, things)
	return s.work(fleet, steps, err)
}

// allThere refuses to bring a cluster back without a member that may have been its last primary.
func (s *Site) allThere(things []operation.Kept, u Undoing) error {
	c := s.Deployment.Cluster(u.Name)
	if c == nil || things[0].What != resource.AsideInstance || u.SkipUnreachable {
		return nil
	}
	var away []string
	for _, i := range c.Instances {
		if !i.Node.Known {
			away = append(away, fmt.Sprintf("%s on %s", i.Name, i.Node.Addr))
		}
	}
	if len(away) == 0 {
		return nil
	}
	return fmt.Errorf("%s cannot be reached, and may have the last that was written: mend that, or go on without it (--skip-unreachable)", strings.Join(away, ", "))
}

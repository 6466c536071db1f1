package sandbox

import (
	"context"
	"fmt"
	"net/netip"
)

// Outlet is the power of one node: a machine of this host that can be switched off without being
// asked.
type Outlet struct {
	box  *Sandbox
	node string
}

// Find returns the power of the running node that has this address; nil when no sandbox of this
// host has it.
func Find(ctx context.Context, addr netip.Addr) (*Outlet, error) {
	names, err := List()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		s, err := Open(name)
		if err != nil {
			continue // what a crash left of a sandbox runs nothing for us
		}
		for _, n := range s.Nodes() {
			if n.Addr != addr {
				continue
			}
			if m := newMachine(s, n); m.running() {
				return &Outlet{box: s, node: n.Name}, ctx.Err()
			}
		}
	}
	return nil, ctx.Err()
}

// String names the node for people, such as "node-1 of sandbox main".
func (o *Outlet) String() string { return fmt.Sprintf("%s of sandbox %s", o.node, o.box.Name()) }

// Off cuts the power; see Sandbox.Kill.
func (o *Outlet) Off(ctx context.Context) error { return o.box.Kill(ctx, o.node) }

// On boots the node and returns when SSH answers; see Sandbox.Start.
func (o *Outlet) On(ctx context.Context) error { return o.box.Start(ctx, o.node) }

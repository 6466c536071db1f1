// Package fleet serves simulated nodes from this process, for measurements and for tests of
// everything above the agent: sessions, frames, diffs and files are real, the nodes' programs
// are not (see internal/resource/simulate).
package fleet

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"syscall"

	"pigsty/internal/agent"
	"pigsty/internal/model"
	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

// Fleet is simulated nodes, a folder each below one. A node is made when it is first reached;
// what happened to it stays in its folder.
type Fleet struct {
	dir string
	// Down, where set, is asked before a node is reached; its error is why it cannot be.
	Down func(addr string) error
	// Meddle, where set, gets each node's host before it is served.
	Meddle func(addr string, h *resource.Host)
	// Wire, where set, gets each stream to a node and gives the one to use.
	Wire func(addr string, stream io.ReadWriteCloser) io.ReadWriteCloser
}

// New is a fleet whose nodes live below dir.
func New(dir string) *Fleet { return &Fleet{dir: dir} }

// Root is the folder of a node.
func (f *Fleet) Root(addr string) string { return filepath.Join(f.dir, addr) }

// Host is a node as an agent that starts there now would see it.
func (f *Fleet) Host(addr string) *resource.Host {
	h := simulate.NewHost(f.Root(addr))
	h.Exec = &certifying{Executor: h.Exec, host: h}
	answer := h.Dial
	h.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if network == "unix" { // PostgreSQL's; a port that is only looked at answers
			return nil, syscall.ECONNREFUSED
		}
		return answer(ctx, network, addr)
	}
	return h
}

// Dial starts an agent on a node and gives the stream to it; it is a controller.Dialer.
func (f *Fleet) Dial(ctx context.Context, n *model.Node) (io.ReadWriteCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f.Down != nil {
		if err := f.Down(n.Addr); err != nil {
			return nil, err
		}
	}
	h := f.Host(n.Addr)
	if f.Meddle != nil {
		f.Meddle(n.Addr, h)
	}
	stream := agent.InProcess(h)
	if f.Wire != nil {
		stream = f.Wire(n.Addr, stream)
	}
	return stream, nil
}

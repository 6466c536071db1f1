package node_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pigsty/internal/module/node"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

// trusting is a simulated node's executor that knows update-ca-certificates, too.
type trusting struct {
	resource.Executor
	h *resource.Host
}

func (e *trusting) Run(ctx context.Context, c resource.Command) ([]byte, error) {
	if c.Argv[0] != "update-ca-certificates" {
		return e.Executor.Run(ctx, c)
	}
	store := e.h.Path("/etc/ssl/certs")
	if err := os.MkdirAll(store, 0o755); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(e.h.Path("/usr/local/share/ca-certificates/pigsty-ca.crt"))
	if err != nil {
		return nil, err
	}
	return nil, errors.Join(
		os.Symlink("/usr/local/share/ca-certificates/pigsty-ca.crt", filepath.Join(store, "pigsty-ca.pem")),
		os.WriteFile(filepath.Join(store, "ca-certificates.crt"), text, 0o644))
}

// Every step must be carried out on a simulated node, and leave nothing for a second run.
func TestSecondApplyChangesNothing(t *testing.T) {
	authority, err := pki.Create(t.TempDir(), "/CN=test")
	if err != nil {
		t.Fatal(err)
	}
	for name := range cases {
		hosts := map[string]*resource.Host{}
		d := deployment(t, name)
		d.CA = authority.CertPEM()
		steps := node.Compile(d)
		for _, s := range steps {
			h := hosts[s.Node]
			if h == nil {
				h = simulate.NewHost(t.TempDir())
				h.Exec = &trusting{h.Exec, h}
				h.Sign = func(_ context.Context, r pki.Request) ([]byte, error) { return authority.Sign(r) }
				hosts[s.Node] = h
			}
			converge(t, h, s)
		}
		for _, s := range steps {
			if c, err := s.Resource.Diff(t.Context(), hosts[s.Node]); c != nil || err != nil {
				t.Errorf("%s: %s on %s: second run: %+v, %v", name, resource.ID(s.Resource), s.Node, c, err)
			}
		}
	}
}

// converge carries a step out as the agent does.
func converge(t *testing.T, h *resource.Host, s resource.Step) {
	t.Helper()
	c, err := s.Resource.Diff(t.Context(), h)
	if err == nil && c != nil {
		for _, n := range s.Notify {
			err = errors.Join(err, h.Mark(n))
		}
		err = errors.Join(err, s.Resource.Apply(t.Context(), h))
	}
	if err != nil {
		t.Errorf("%s on %s: %v", resource.ID(s.Resource), s.Node, err)
	}
}

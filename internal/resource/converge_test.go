package resource_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

// newNode is a fresh simulated node.
func newNode(t *testing.T) *resource.Host {
	t.Helper()
	return simulate.NewHost(t.TempDir())
}

// diff observes, and fails the test on an error.
func diff(t *testing.T, h *resource.Host, r resource.Resource) *resource.Change {
	t.Helper()
	c, err := r.Diff(context.Background(), h)
	if err != nil {
		t.Fatalf("diff %s: %v", resource.ID(r), err)
	}
	return c
}

// converge expects a change, applies it after a trip over the wire, and expects that nothing is
// left to change.
func converge(t *testing.T, h *resource.Host, r resource.Resource, want resource.Action) *resource.Change {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = resource.Decode(r.Kind(), data); err != nil {
		t.Fatal(err)
	}
	c := diff(t, h, r)
	if c == nil {
		t.Fatalf("%s: no change, want %s", resource.ID(r), want)
	}
	if c.Action != want {
		t.Errorf("%s: %s, want %s", resource.ID(r), c.Action, want)
	}
	if err := r.Apply(context.Background(), h); err != nil {
		t.Fatalf("apply %s: %v", resource.ID(r), err)
	}
	quiet(t, h, r)
	return c
}

// quiet expects that the resource is as it should be.
func quiet(t *testing.T, h *resource.Host, r resource.Resource) {
	t.Helper()
	commands := len(h.Exec.(*simulate.Executor).Calls())
	if c := diff(t, h, r); c != nil {
		t.Errorf("%s: still to change: %+v", resource.ID(r), c)
	}
	if n := len(h.Exec.(*simulate.Executor).Calls()); n != commands {
		t.Errorf("%s: a converged diff started %d commands", resource.ID(r), n-commands)
	}
}

// refused expects an error from Diff that holds the text.
func refused(t *testing.T, h *resource.Host, r resource.Resource, text string) {
	t.Helper()
	c, err := r.Diff(context.Background(), h)
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: got change %+v, error %v; want an error with %q", resource.ID(r), c, err, text)
	}
}

func put(t *testing.T, h *resource.Host, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.Path(path)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.Path(path), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, h *resource.Host, path string) string {
	t.Helper()
	data, err := os.ReadFile(h.Path(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func exists(h *resource.Host, path string) bool {
	_, err := os.Lstat(h.Path(path))
	return err == nil
}

// field is what a change says of one attribute.
func field(c *resource.Change, name string) (before, after string) {
	for _, f := range c.Fields {
		if f.Name == name {
			return f.Before, f.After
		}
	}
	return "", ""
}

func expectField(t *testing.T, c *resource.Change, name, before, after string) {
	t.Helper()
	if b, a := field(c, name); b != before || a != after {
		t.Errorf("field %s: %q → %q, want %q → %q in %+v", name, b, a, before, after, c.Fields)
	}
}

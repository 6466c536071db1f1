package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/agent"
	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

// needy is a step that calls for its aides.
type needy struct {
	ID string `json:"id"`
	// As is the step in whose name it calls; empty = its own.
	As string `json:"as"`
}

func (n *needy) Kind() string { return "needy" }
func (n *needy) Name() string { return n.ID }

func (n *needy) Diff(context.Context, *resource.Host) (*resource.Change, error) {
	return &resource.Change{Action: resource.Run}, nil
}

func (n *needy) Apply(ctx context.Context, h *resource.Host) error {
	name := *n
	if n.As != "" {
		name.ID = n.As
	}
	failed, err := h.Call(ctx, &name, "come")
	if err != nil {
		return err
	}
	for _, node := range slices.Sorted(maps.Keys(failed)) {
		h.Note("%s: %v", node, failed[node])
	}
	return nil
}

// helper is an aide that leaves word of the order it was given.
type helper struct {
	Path string `json:"path"`
}

func (*helper) AideKind() string { return "helper" }

func (a *helper) Assist(_ context.Context, h *resource.Host, order json.RawMessage) error {
	if a.Path == "" {
		return errors.New("there is nothing to do")
	}
	return os.WriteFile(h.Path(a.Path), order, 0o600)
}

var (
	_ = resource.Register(func() resource.Resource { return &needy{} })
	_ = resource.RegisterAide(func() resource.Aide { return &helper{} })
)

// A step's aides do their parts on their own nodes, also while these are at a step, and what goes
// wrong there is told. The aides of another step are not at its disposal.
func TestAides(t *testing.T) {
	sessions := map[string]*agent.Session{}
	hosts := map[string]*resource.Host{}
	for _, node := range []string{"a", "b", "c"} {
		hosts[node] = simulate.NewHost(t.TempDir())
		sessions[node] = connect(t, hosts[node], nil)
	}
	for _, s := range sessions {
		s.Meet(sessions)
	}
	all := steps(&needy{ID: "first"}, &needy{ID: "second", As: "stranger"})
	all[0].Aides = map[string]resource.Aide{"b": &helper{Path: "/etc/word"}, "c": &helper{}, "lost": &helper{Path: "/etc/word"}}
	_, last := apply(t, sessions["a"], all)
	want := []string{"c: there is nothing to do", "lost: the node could not be reached"}
	if diff := cmp.Diff(want, last[0].Notes); diff != "" {
		t.Error(diff)
	}
	if word, err := os.ReadFile(hosts["b"].Path("/etc/word")); err != nil || string(word) != `"come"` {
		t.Errorf("word %s, error %v", word, err)
	}
	if err := os.Remove(hosts["b"].Path("/etc/word")); err != nil {
		t.Fatal(err)
	}
	if last[1].Status != resource.Changed || len(last[1].Notes) > 0 {
		t.Errorf("a step without aides: %+v", last[1])
	}
	if _, err := os.Stat(hosts["b"].Path("/etc/word")); err == nil {
		t.Error("an aide came to a step that it does not belong to")
	}
}

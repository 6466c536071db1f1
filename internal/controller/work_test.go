package controller_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pigsty/internal/agent"
	"pigsty/internal/controller"
	"pigsty/internal/engine"
	"pigsty/internal/model"
	"pigsty/internal/resource"
)

// unexpected is told of a wait for a lock where there must be none.
func unexpected(t *testing.T) func(string, agent.Holder) {
	return func(node string, h agent.Holder) { t.Errorf("waits on %s for %s", node, h) }
}

func TestSecondRunIsToldWhoIsAtIt(t *testing.T) {
	path, f := sandbox(t)
	first := prepare(t, path, controller.Request{}, f)
	defer first.Close()
	if err := first.Lock(t.Context(), "pigsty apply", unexpected(t)); err != nil {
		t.Fatal(err)
	}
	second := prepare(t, path, controller.Request{Limit: "pg-test"}, f)
	defer second.Close()
	err := second.Lock(t.Context(), "pigsty apply", unexpected(t))
	if err == nil || !strings.Contains(err.Error(), "another run is changing 10.10.10.11") || !strings.Contains(err.Error(), "pigsty apply, since") {
		t.Errorf("%v", err)
	}
}

// A limit asks the rest of its clusters and of the DCS for facts, and changes nothing there but what
// they know of the node.
func TestLimitAsksTheNeighboursToo(t *testing.T) {
	path, f := sandbox(t)
	w := prepare(t, path, controller.Request{Limit: "10.10.10.13"}, f)
	defer w.Close()
	for _, node := range w.Graph.Nodes() {
		if w.Graph.Concerns(node) != (node == "10.10.10.13") {
			t.Errorf("steps for %s", node)
		}
	}
	if len(w.Fleet.Sessions) != 4 {
		t.Errorf("asked %d nodes, want all: one leads its cluster, three are etcd's", len(w.Fleet.Sessions))
	}
}

// The same inventory and facts give the same steps, so a digest means something.
func TestTwoPreparesGiveOneDigest(t *testing.T) {
	path, f := sandbox(t)
	var digests []string
	for range 2 {
		w := prepare(t, path, controller.Request{}, f)
		d, err := w.Digest(w.Plan(t.Context()))
		w.Close()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, d)
	}
	if digests[0] != digests[1] {
		t.Errorf("%q", digests)
	}
}

func TestCancelledConnect(t *testing.T) {
	path, f := sandbox(t)
	ctx, cancel := context.WithCancel(t.Context())
	s := open(t, path)
	w, err := s.Prepare(ctx, controller.Request{}, func(ctx context.Context, n *model.Node) (io.ReadWriteCloser, error) {
		cancel()
		return f.Dial(ctx, n)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	p := w.Plan(ctx)
	for _, n := range p.Nodes {
		if n.Error == "" {
			t.Errorf("%s is planned although nobody connected", n.Node)
		}
	}
	if len(w.Fleet.Lost) != 4 || !errors.Is(w.Fleet.Lost["10.10.10.10"], context.Canceled) {
		t.Errorf("lost: %v", w.Fleet.Lost)
	}
}

func TestJournalRecordsEveryEvent(t *testing.T) {
	path, f := sandbox(t)
	w := prepare(t, path, controller.Request{Modules: []string{"node"}}, f)
	defer w.Close()
	j, err := w.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	want := []engine.Event{
		{Node: "a", Kind: "file", Name: "/x", Status: resource.Started, Change: &resource.Change{Action: resource.Create}},
		{Node: "a", Kind: "file", Name: "/x", Status: resource.Failed, Error: "no space"},
	}
	for _, e := range want {
		j.Write(e)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".pigsty/site/journal/*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%q", lines)
	}
	for i, line := range lines {
		var got engine.Event
		if err := json.Unmarshal([]byte(line), &got); err != nil || got.Status != want[i].Status || got.Error != want[i].Error {
			t.Errorf("line %d: %+v, %v", i, got, err)
		}
	}
}

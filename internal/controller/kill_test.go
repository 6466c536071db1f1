package controller_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"

	"pigsty/bench/fleet"
	"pigsty/internal/controller"
	"pigsty/internal/engine"
	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

// deploy runs plan and apply of the node module once, and counts ends of steps by status.
func deploy(t *testing.T, path string, f *fleet.Fleet) map[resource.Status]int {
	t.Helper()
	w := prepare(t, path, controller.Request{Modules: []string{"node"}}, f)
	defer w.Close()
	if err := w.Lock(t.Context(), "test", unexpected(t)); err != nil {
		t.Fatal(err)
	}
	ends := map[resource.Status]int{}
	w.Apply(t.Context(), func(e engine.Event) {
		if e.Status != resource.Started {
			ends[e.Status]++
		}
	})
	return ends
}

// killing makes a fleet whose agents die at the given call of systemd or of a command: the step
// is left where it is, as by a kill.
func killing(f *fleet.Fleet, at int64) {
	var calls atomic.Int64
	die := func() {
		if calls.Add(1) == at {
			runtime.Goexit()
		}
	}
	f.Meddle = func(_ string, h *resource.Host) {
		h.Systemd.(*simulate.Systemd).Fail = func(string, string) error { die(); return nil }
		h.Exec = dying{h.Exec, die}
	}
}

// cutting makes a fleet whose connections all break at the given frame read from an agent.
func cutting(f *fleet.Fleet, at int64) {
	var reads atomic.Int64
	f.Wire = func(_ string, stream io.ReadWriteCloser) io.ReadWriteCloser {
		return &cut{ReadWriteCloser: stream, reads: &reads, at: at}
	}
}

// An apply that is killed at any point, or loses its nodes at any point, is finished by the
// next one, and then nothing is left to do.
func TestInterruptedApplyIsFinishedByTheNext(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 0))
			path, f := sandbox(t)
			interrupt, most := killing, int64(20)
			if seed%2 == 1 {
				interrupt, most = cutting, 200
			}
			interrupt(f, 6+random.Int64N(most))
			if ends := deploy(t, path, f); ends[resource.Failed] == 0 {
				t.Fatalf("the run was not interrupted: %v", ends)
			}
			f.Meddle, f.Wire = nil, nil
			if ends := deploy(t, path, f); ends[resource.Failed]+ends[resource.Skipped] > 0 || ends[resource.Changed] == 0 {
				t.Errorf("second run: %v", ends)
			}
			w := prepare(t, path, controller.Request{Modules: []string{"node"}}, f)
			defer w.Close()
			if p := w.Plan(t.Context()); !p.Empty() {
				t.Errorf("left to do: %+v", p)
			}
		})
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"pigsty/bench/fleet"
	"pigsty/internal/controller"
	"pigsty/internal/engine"
	"pigsty/internal/resource"
)

// phase is what one part of the work took.
type phase struct {
	Name string        `json:"name"`
	Wall time.Duration `json:"wall"`
	CPU  time.Duration `json:"cpu"`
	Peak int64         `json:"peak"` // most memory of the process so far, in bytes
}

// result is the figures of one number of nodes.
type result struct {
	Nodes   int     `json:"nodes"`
	Steps   int     `json:"steps"`
	Changes int     `json:"changes"` // of the first plan
	Phases  []phase `json:"phases"`
}

// meter times phases.
type meter struct{ phases []phase }

func (m *meter) measure(name string, work func() error) error {
	start, cpu := time.Now(), cpuTime()
	err := work()
	m.phases = append(m.phases, phase{name, time.Since(start), cpuTime() - cpu, peak()})
	return err
}

// profiled measures, and writes the profiles that have a name.
func profiled(n int, cpu, heap string) (r result, err error) {
	if cpu != "" {
		f, err := os.Create(cpu)
		if err != nil {
			return result{}, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return result{}, err
		}
		defer pprof.StopCPUProfile()
	}
	if r, err = measure(n); err != nil || heap == "" {
		return r, err
	}
	f, err := os.Create(heap)
	if err != nil {
		return result{}, err
	}
	return r, errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

// measure takes a site of n fresh nodes through a whole plan, an apply of what simulated nodes
// can carry out, and a plan of that again, when it is in order.
func measure(n int) (r result, err error) {
	dir, err := os.MkdirTemp("", "pigsty-scale-")
	if err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "site.yml")
	if err := os.WriteFile(path, []byte(inventory(n)), 0o600); err != nil {
		return result{}, err
	}
	f := fleet.New(filepath.Join(dir, "nodes"))
	for i := range n {
		f.Host(address(i)) // furnishing nodes is no part of the work
	}
	r.Nodes = n
	var m meter
	var site *controller.Site
	err = m.measure("read", func() (err error) {
		site, err = controller.Open(path, nil)
		return err
	})
	if err != nil {
		return result{}, err
	}
	for _, pass := range []struct {
		suffix  string
		modules []string
		work    func(m *meter, w *controller.Work, suffix string) error
	}{
		{" (all modules, fresh nodes)", nil, r.planWhole},
		{" (module node)", []string{"node"}, applyAndPlan},
	} {
		var w *controller.Work
		err := m.measure("connect, facts, compile"+pass.suffix, func() (err error) {
			w, err = site.Prepare(context.Background(), controller.Request{Modules: pass.modules}, f.Dial)
			return err
		})
		if err != nil {
			return result{}, err
		}
		if err := errors.Join(pass.work(&m, w, pass.suffix), closing(w)); err != nil {
			return result{}, err
		}
	}
	r.Phases = m.phases
	return r, nil
}

func closing(w *controller.Work) error {
	w.Close()
	return nil
}

// planWhole plans everything that the site wants.
func (r *result) planWhole(m *meter, w *controller.Work, suffix string) error {
	r.Steps = w.Graph.Len()
	return m.measure("plan"+suffix, func() error {
		p := w.Plan(context.Background())
		r.Changes = p.Changes()
		return whole(p)
	})
}

// whole refuses a plan that misses something.
func whole(p *engine.Plan) error {
	if p.Failed() {
		return fmt.Errorf("the plan is not complete: %+v", p.Nodes[0])
	}
	return nil
}

// applyAndPlan carries the work out, and plans it again.
func applyAndPlan(m *meter, w *controller.Work, suffix string) error {
	failed := 0
	err := m.measure("apply"+suffix, func() error {
		w.Apply(context.Background(), func(e engine.Event) {
			if e.Status == resource.Failed || e.Status == resource.Skipped {
				failed++
			}
		})
		return nil
	})
	if err != nil || failed > 0 {
		return fmt.Errorf("%d steps were not done: %w", failed, err)
	}
	return m.measure("plan in order"+suffix, func() error {
		p := w.Plan(context.Background())
		if !p.Empty() {
			return errors.New("a second plan is not empty")
		}
		return nil
	})
}

// cpuTime is what this process has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it cannot be refused to ask about oneself
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory that this process has had resident, in bytes.
func peak() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err) // as on every Linux
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				panic(err)
			}
			return kb << 10
		}
	}
	return 0
}

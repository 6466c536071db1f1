package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"pigsty/internal/resource"
)

// Event tells of one step of a run as it happens.
type Event struct {
	Time   time.Time        `json:"time"`
	Node   string           `json:"node"`
	Module string           `json:"module"`
	Kind   string           `json:"kind"`
	Name   string           `json:"name"`
	Status resource.Status  `json:"status"`
	Change *resource.Change `json:"change,omitempty"`
	Error  string           `json:"error,omitempty"`
	Notes  []string         `json:"notes,omitempty"`
	Took   time.Duration    `json:"took,omitempty"`
}

// run is the state shared by the workers of one apply, one worker per node.
type run struct {
	graph *Graph
	emit  func(Event)

	mu     sync.Mutex
	moved  *sync.Cond
	status map[resource.Ref]resource.Status // final status of each finished step
}

// Apply carries the graph out: nodes in parallel, a node's steps in order, each step after
// those it waits for on other nodes. Events are emitted one at a time. A node without a session
// is failed with the reason given in lost. When ctx is cancelled, each node finishes the step
// it is at and skips the rest.
func Apply(ctx context.Context, g *Graph, sessions map[string]Session, lost map[string]error, emit func(Event)) {
	r := &run{graph: g, status: map[resource.Ref]resource.Status{}}
	r.moved = sync.NewCond(&r.mu)
	var one sync.Mutex
	r.emit = func(e Event) {
		one.Lock()
		defer one.Unlock()
		e.Time = time.Now()
		emit(e)
	}
	release := context.AfterFunc(ctx, r.wake)
	defer release()
	var group sync.WaitGroup
	for _, node := range g.Nodes() {
		group.Go(func() {
			if s := sessions[node]; s != nil {
				r.work(ctx, node, s)
				return
			}
			r.lose(g.Steps(node), lostCause(lost, node))
		})
	}
	group.Wait()
}

// wake has every worker that waits look whether the run was stopped.
func (r *run) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.moved.Broadcast()
}

// work takes a node through its steps in batches, each as long as what it waits for elsewhere
// allows, so that most nodes need one or two round trips.
func (r *run) work(ctx context.Context, node string, s Session) {
	steps := r.graph.Steps(node)
	barred, omitted := resource.Barred{}, map[string]bool{}
	for next := 0; next < len(steps); {
		if omitted[steps[next].Branch] && barred.Cause(steps[next].Branch) == "" {
			r.finish(steps[next], resource.Outcome{Status: resource.Omitted})
			next++
			continue
		}
		batch, cause := r.nextBatch(ctx, steps[next:], barred, omitted)
		if cause != "" {
			r.finish(steps[next], resource.Outcome{Status: resource.Skipped, Error: cause})
			barred.Bar(steps[next], cause)
			next++
			continue
		}
		if r.without(batch[0]) {
			r.finish(batch[0], resource.Outcome{Status: resource.Omitted})
			next++
			continue
		}
		told := make([]bool, len(batch))
		err := s.Apply(ctx, batch, func(o resource.Outcome) {
			r.record(batch[o.Index], o, barred)
			omitted[batch[o.Index].Branch] = o.Status == resource.Omitted
			told[o.Index] = o.Status != resource.Started
		})
		if err == nil && slices.Contains(told, false) {
			err = errors.New("the node did not tell what became of this step")
		}
		if err != nil {
			r.lose(append(untold(batch, told), steps[next+len(batch):]...), err.Error())
			return
		}
		next += len(batch)
	}
}

// untold are the steps of a batch whose end the node has not told of.
func untold(batch []resource.Step, told []bool) []resource.Step {
	var left []resource.Step
	for i, s := range batch {
		if !told[i] {
			left = append(left, s)
		}
	}
	return left
}

// nextBatch waits until the first step may run, and returns it with the steps after it that may
// run as well; or why the first must be skipped.
func (r *run) nextBatch(ctx context.Context, steps []resource.Step, barred resource.Barred, omitted map[string]bool) ([]resource.Step, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if ctx.Err() != nil {
			return nil, "the run was stopped"
		}
		wait, cause := r.waits(steps[0])
		if blocked := barred.Cause(steps[0].Branch); blocked != "" {
			cause = blocked
		}
		if cause != "" {
			return nil, cause
		}
		if !wait {
			break
		}
		r.moved.Wait()
	}
	n := 1
	for n < len(steps) {
		wait, cause := r.waits(steps[n])
		if wait || cause != "" || barred.Cause(steps[n].Branch) != "" || omitted[steps[n].Branch] || r.omitted(steps[n].With) {
			break
		}
		n++
	}
	return steps[:n], ""
}

// waits says whether a step still waits for another node, or why it can never run.
func (r *run) waits(s resource.Step) (wait bool, cause string) {
	for _, after := range s.After {
		switch status, finished := r.status[after]; {
		case !finished:
			wait = true
		case status == resource.Failed || status == resource.Skipped:
			return false, fmt.Sprintf("it waits for %s on %s, which was not done", after.ID, after.Node)
		}
	}
	if s.With != (resource.Ref{}) {
		if _, finished := r.status[s.With]; !finished {
			wait = true
		}
	}
	return wait, ""
}

// without tells whether a step goes with one that its node does without.
func (r *run) without(s resource.Step) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.omitted(s.With)
}

// omitted is for those who hold the lock.
func (r *run) omitted(ref resource.Ref) bool { return r.status[ref] == resource.Omitted }

// record takes an outcome from a node: a start is only told, an end is kept for those who wait.
func (r *run) record(s resource.Step, o resource.Outcome, barred resource.Barred) {
	if o.Status == resource.Started {
		r.emit(event(s, o))
		return
	}
	if o.Status == resource.Failed {
		barred.Bar(s, resource.FailedBefore(s))
	}
	r.finish(s, o)
}

func (r *run) finish(s resource.Step, o resource.Outcome) {
	r.emit(event(s, o))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status[s.Ref()] = o.Status
	if r.graph.awaited[s.Ref()] {
		r.moved.Broadcast()
	}
}

// lose ends a node that nobody can speak to: the step it was at failed, the rest is skipped.
func (r *run) lose(left []resource.Step, cause string) {
	for i, s := range left {
		o := resource.Outcome{Status: resource.Failed, Error: cause}
		if i > 0 {
			o = resource.Outcome{Status: resource.Skipped, Error: "nothing more could be done on the node"}
		}
		r.finish(s, o)
	}
}

func event(s resource.Step, o resource.Outcome) Event {
	return Event{
		Node: s.Node, Module: s.Module, Kind: s.Resource.Kind(), Name: s.Resource.Name(),
		Status: o.Status, Change: o.Change, Error: o.Error, Notes: o.Notes, Took: o.Took,
	}
}

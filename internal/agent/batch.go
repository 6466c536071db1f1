package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"pigsty/internal/resource"
)

// diff observes every step and reports those that differ, fail or are left out, and what there is to note. Most
// of it is waiting for services to answer, so modules are observed side by side; within a module
// in listing order, so that a unit knows which of the steps before it will notify it.
func (s *server) diff(ctx context.Context, steps []resource.Step) []resource.Outcome {
	s.host.ForgetExpected()
	defer s.host.ForgetExpected()
	outcomes := make([]resource.Outcome, len(steps))
	var group sync.WaitGroup
	for _, indices := range byModule(steps) {
		group.Go(func() {
			omitted := map[string]bool{}
			for _, i := range indices {
				if omitted[steps[i].Branch] {
					outcomes[i] = resource.Outcome{Status: resource.InOrder}
					continue
				}
				outcomes[i] = s.observe(ctx, steps[i])
				outcomes[i].Index = i
				omitted[steps[i].Branch] = outcomes[i].Status == resource.Omitted
			}
		})
	}
	group.Wait()
	// Who noted what is not known any more, and matters to nobody; the order has to be the same
	// each time.
	if notes := s.host.TakeNotes(); len(notes) > 0 {
		slices.Sort(notes)
		outcomes[0].Notes = notes
	}
	return slices.DeleteFunc(outcomes, func(o resource.Outcome) bool {
		return o.Change == nil && o.Error == "" && len(o.Notes) == 0 && o.Status != resource.Omitted
	})
}

// byModule are the indices of each module's steps, in listing order.
func byModule(steps []resource.Step) map[string][]int {
	indices := map[string][]int{}
	for i, step := range steps {
		indices[step.Module] = append(indices[step.Module], i)
	}
	return indices
}

// observe looks at one step, and has those that it notifies expect it.
func (s *server) observe(ctx context.Context, step resource.Step) resource.Outcome {
	change, err := step.Resource.Diff(ctx, s.host)
	switch {
	case s.without(err):
		return resource.Outcome{Status: resource.Omitted}
	case err != nil:
		return resource.Outcome{Status: resource.Failed, Change: change, Error: err.Error()}
	case change == nil:
		return resource.Outcome{Status: resource.InOrder}
	}
	for _, n := range step.Notify {
		s.host.Expect(n)
	}
	return resource.Outcome{Status: resource.Pending, Change: change}
}

// apply carries the steps out in listing order and tells of each as it goes. The answer's error
// is of the stream only.
func (s *server) apply(ctx context.Context, id uint64, steps []resource.Step) error {
	barred, omitted := resource.Barred{}, map[string]bool{}
	for i, step := range steps {
		o := resource.Outcome{Index: i}
		switch cause := barred.Cause(step.Branch); {
		case s.stopped.Err() != nil:
			o.Status, o.Error = resource.Skipped, runStopped
		case cause != "":
			o.Status, o.Error = resource.Skipped, cause
		case omitted[step.Branch]:
			o.Status = resource.Omitted
		default:
			o = s.applyStep(ctx, id, i, step)
		}
		if o.Status == resource.Failed {
			barred.Bar(step, resource.FailedBefore(step))
		}
		omitted[step.Branch] = o.Status == resource.Omitted
		if err := s.stream.send(id, opEvent, o, nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) applyStep(ctx context.Context, id uint64, i int, step resource.Step) resource.Outcome {
	start := time.Now()
	o := resource.Outcome{Index: i, Status: resource.InOrder}
	change, err := step.Resource.Diff(ctx, s.host)
	if err == nil && change != nil {
		o.Change, o.Status = change, resource.Changed
		// A view that cannot be told has gone; the step is carried out all the same.
		_ = s.stream.send(id, opEvent, resource.Outcome{Index: i, Status: resource.Started, Change: change}, nil)
		err = s.carryOut(ctx, step)
	}
	switch _, waits := step.Resource.(resource.Waiter); {
	case s.without(err):
		o.Status, o.Change = resource.Omitted, nil
	case err == nil:
	case waits && s.stopped.Err() != nil:
		o.Status, o.Error = resource.Skipped, runStopped
	default:
		o.Status, o.Error = resource.Failed, err.Error()
	}
	o.Notes, o.Took = s.host.TakeNotes(), time.Since(start)
	return o
}

// without tells whether the error only says that the node cannot have something, and notes that.
func (s *server) without(err error) bool {
	none, ok := errors.AsType[*resource.Unavailable](err)
	if ok {
		s.host.Note("%s", none.Why)
	}
	return ok
}

// runStopped is why steps that were never begun, or only waited, are skipped.
const runStopped = "the run was stopped"

// carryOut marks who has to take notice, then applies. A step that only waits ends when the run
// is stopped.
func (s *server) carryOut(ctx context.Context, step resource.Step) error {
	for _, n := range step.Notify {
		if err := s.host.Mark(n); err != nil {
			return fmt.Errorf("note that %s has to %s: %w", n.Unit, n.Action, err)
		}
	}
	if _, waits := step.Resource.(resource.Waiter); waits {
		ctx = s.stopped
	}
	return step.Resource.Apply(ctx, s.host)
}

package drill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pigsty/internal/controller"
	"pigsty/internal/engine"
	"pigsty/internal/module"
	"pigsty/internal/resource"
)

// Ordered is a fault that steps on the nodes bring about, which end it after its time by
// themselves.
type Ordered struct {
	Site    *controller.Site
	Cluster string
	Dial    controller.Dialer
	Work    *controller.Work // planned, and locked
}

// Begin carries the steps out, and tells when the first of them began that changes something.
func (o *Ordered) Begin(ctx context.Context) (time.Time, error) {
	var began time.Time
	err := carryOut(ctx, o.Work, func(e engine.Event) {
		if e.Status == resource.Started && began.IsZero() {
			began = time.Now()
		}
	})
	if err == nil && began.IsZero() {
		err = errors.New("nothing was broken: the nodes found nothing to do")
	}
	return began, err
}

// EndsItself is true: the nodes see to it.
func (o *Ordered) EndsItself() bool { return true }

// End ends the fault before its time.
func (o *Ordered) End(ctx context.Context) error {
	work, err := o.Site.PrepareFault(ctx, o.Cluster, module.EndFaults(), o.Dial)
	if err != nil {
		return fmt.Errorf("end the fault: %w", err)
	}
	defer work.Close()
	return carryOut(ctx, work, func(engine.Event) {})
}

// carryOut applies steps and notes them in the journal; the error is that of the first that fails.
func carryOut(ctx context.Context, work *controller.Work, seen func(engine.Event)) error {
	journal, err := work.OpenJournal()
	if err != nil {
		return err
	}
	defer journal.Close()
	var failed error
	work.Apply(ctx, func(e engine.Event) {
		journal.Write(e)
		seen(e)
		if failed == nil && (e.Status == resource.Failed || e.Status == resource.Skipped) {
			failed = fmt.Errorf("%s: %s %s: %s", e.Node, e.Kind, e.Name, e.Error)
		}
	})
	return failed
}

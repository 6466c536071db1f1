package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"

	"pigsty/internal/agent"
	"pigsty/internal/controller"
	"pigsty/internal/diag"
)

// openSite reads the inventory and what lies beside it. Warnings go to standard error, where
// they do not disturb the answer.
func (a *app) openSite() (*controller.Site, error) {
	site, err := controller.Open(a.inventory, a.extra)
	if err != nil {
		return nil, a.refused(err)
	}
	site.Warnings.Write(a.err)
	if len(site.Generated) > 0 {
		fmt.Fprintf(a.err, "generated secrets: %s\n", strings.Join(site.Generated, ", "))
	}
	return site, nil
}

// refused prints the problems of the inventory that an error carries, with their source lines, and
// gives one that says so; any other error is given back.
func (a *app) refused(err error) error {
	if problems := diag.From(err); len(problems) > 0 {
		problems.Write(a.err)
		return fmt.Errorf("%s has errors; nothing was touched", a.inventory)
	}
	return err
}

// dialer reaches nodes: over ssh, unless a test put another way in.
func (a *app) dialer() (controller.Dialer, error) {
	if a.dial != nil {
		return a.dial, nil
	}
	return controller.SSH()
}

// reach is the site, and the way to its nodes.
func (a *app) reach() (*controller.Site, controller.Dialer, error) {
	dial, err := a.dialer()
	if err != nil {
		return nil, nil, err
	}
	site, err := a.openSite()
	return site, dial, err
}

// prepare opens the site, connects to the nodes in scope and compiles what they should be.
func (a *app) prepare(ctx context.Context, request controller.Request) (*controller.Work, error) {
	site, dial, err := a.reach()
	if err != nil {
		return nil, err
	}
	known := len(site.Warnings)
	work, err := site.Prepare(ctx, request, dial)
	// What only the nodes' facts could tell.
	site.Warnings[known:].Write(a.err)
	return work, a.refused(err)
}

// waiting says whom a run waits for that cannot start at once on a node; nodes may wait at the
// same time. It goes beside the answer, which may be JSON.
func (a *app) waiting(w *controller.Work) func(string, agent.Holder) {
	names := w.Names()
	var mu sync.Mutex
	return func(node string, h agent.Holder) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(a.err, "%s: waiting for the run of %s, which has lost its controller and finishes the step it is at\n", cmp.Or(names[node], node), h)
	}
}

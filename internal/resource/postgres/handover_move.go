package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pigsty/internal/resource"
)

// handoverError is why the clients of the pool could not be kept. Leadership has not moved, or the
// clients wait no more: trying again by itself would do no good.
type handoverError struct{ err error }

func (e *handoverError) Error() string { return e.err.Error() }
func (e *handoverError) Unwrap() error { return e.err }

// cost says what clients see of a switchover from one member to another.
func (o *Handover) cost(ctx context.Context, h *resource.Host, from, to string) string {
	if o == nil {
		return "all clients are cut and connect again"
	}
	problem, sessions := o.obstacle(ctx, h, from, to)
	if problem != "" {
		return "all clients are cut and connect again: " + problem
	}
	text := "clients of the pool wait, about two seconds; those at PostgreSQL itself are cut"
	if o.VIP != "" {
		text += ", and so are those by the virtual address " + o.VIP + ", which moves"
	}
	if len(sessions) > 0 {
		text += ", and those of " + strings.Join(sessions, ", ") + ", which pgBouncer serves in session mode"
	}
	return text
}

// obstacle is why no client of the pool can be kept; empty when they can. Those of the databases in
// sessions cannot in any case.
func (o *Handover) obstacle(ctx context.Context, h *resource.Host, from, to string) (problem string, sessions []string) {
	switch _, pooled := o.Pools[to]; {
	case o.Console == nil:
		return "pgBouncer is off on " + o.Self, nil
	case from != o.Self:
		return from + " leads, and its node cannot be reached", nil
	case !pooled:
		return "pgBouncer is off on " + to, nil
	}
	console, err := openConsole(ctx, h, *o.Console)
	if err != nil {
		return err.Error(), nil
	}
	defer console.close()
	names, sessions, err := o.pooledDatabases(ctx, console)
	switch {
	case err != nil:
		return err.Error(), nil
	case len(names) == 0 && len(sessions) > 0:
		return "pgBouncer serves " + strings.Join(sessions, ", ") + " in session mode", nil
	}
	return "", sessions
}

// move has leadership go from one member to another, and the clients of the pools with it where
// they can be kept.
func (c *crew) move(ctx context.Context, h *resource.Host, members []clusterMember, leader *Patroni, from, to string) error {
	if c.pool == nil {
		return leader.Switchover(ctx, from, to, c.patience)
	}
	if problem, _ := c.pool.obstacle(ctx, h, from, to); problem != "" {
		h.Note("clients of the pool are cut: %s", problem)
		return leader.Switchover(ctx, from, to, c.patience)
	}
	// PostgreSQL writes a checkpoint when it stops. What is written before need not be then, while
	// clients wait.
	if err := c.pool.checkpoint(ctx, h); err != nil {
		h.Note("no checkpoint before the switchover: %v", err)
	}
	order := handoverOrder{From: from, To: to}
	for name, url := range map[string]*string{from: &order.FromURL, to: &order.ToURL} {
		n := slices.IndexFunc(members, func(m clusterMember) bool { return m.Name == name })
		if n < 0 {
			return fmt.Errorf("cluster %s has no member %s", c.cluster, name)
		}
		*url = members[n].APIURL
	}
	c.call(ctx, h, order)
	p, err := c.pool.begin(ctx, h, order, moved)
	if err == nil {
		for _, note := range p.Notes {
			h.Note("%s", note)
		}
		h.Note("clients of the pool waited for %.2f s, %.2f s of it for the promotion of %s", p.Pause.Seconds(), p.Promotion.Seconds(), to)
		return nil
	}
	order.Cancel = true
	c.call(ctx, h, order)
	var refused *PatroniError
	if errors.As(err, &refused) {
		return err
	}
	return &handoverError{err}
}

// call tells the other nodes of the handover. One that cannot do its part cuts its clients, as every
// switchover does without.
func (c *crew) call(ctx context.Context, h *resource.Host, order handoverOrder) {
	failed, err := h.Call(ctx, c.caller, order)
	if err != nil {
		h.Note("clients of the pool through other nodes are cut: %v", err)
	}
	for node, problem := range failed {
		h.Note("clients of the pool through %s are cut: %v", node, problem)
	}
}

// checkpoint has this node's server write what it has in memory.
func (o *Handover) checkpoint(ctx context.Context, h *resource.Host) error {
	s, err := o.Server.session(ctx, h, maintenance)
	if err != nil {
		return err
	}
	_, err = s.Exec(ctx, "CHECKPOINT")
	return err
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*PatroniRestart)(nil)
	_                   = resource.Register(func() resource.Resource { return &PatroniRestart{} })
)

// RestartMethod is how the primary of a cluster takes settings that need a restart.
type RestartMethod string

const (
	// RestartInPlace restarts the primary where it is: clients wait for a shutdown and a start.
	RestartInPlace RestartMethod = "restart"
	// RestartBySwitchover hands the primary's role to a replica that was restarted before:
	// clients wait for a promotion only, and the primary moves. What lowers a setting that
	// replicas must not have below the primary's is restarted in place all the same.
	RestartBySwitchover RestartMethod = "switchover"
)

// PatroniRestart restarts the members of a cluster that have settings waiting for it, one at a
// time and in the order that PostgreSQL needs. List it on the leader's node, after all members
// have their new settings; with RestartBySwitchover as the last that needs the primary there.
type PatroniRestart struct {
	Cluster string        `json:"cluster"`
	API     PatroniAPI    `json:"api"`              // of the member on this node
	Conn    Conn          `json:"conn"`             // asked what the leader runs with
	Method  RestartMethod `json:"method,omitempty"` // empty = restart
	// Pool keeps the clients of the pools through a switchover; nil = they are cut.
	Pool *Handover `json:"pool,omitempty"`
	// Timeout is how long a member may take to come back. 0 = 5 minutes.
	Timeout time.Duration `json:"timeout,omitempty"`
}

// restartPasses is how often the members are gone through: raising one setting and lowering
// another takes the replicas, the primary, and the replicas again.
const restartPasses = 3

func (r *PatroniRestart) Kind() string { return "patroni_restart" }
func (r *PatroniRestart) Name() string { return r.Cluster }

func (r *PatroniRestart) crew() *crew {
	return newCrew(r.Cluster, r.API, r.Timeout).keeping(r.Pool, r)
}

// Diff asks every member whether it waits for a restart. A plan is made before the members have
// new settings; then the change that brings them has left word.
func (r *PatroniRestart) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	members, err := r.crew().observe(ctx, h)
	if errors.Is(err, errNoPatroni) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	down := h.PendingNotice(restartMark(r.Cluster, true).Unit) == resource.NoticeRestart
	announced := down || h.PendingNotice(restartMark(r.Cluster, false).Unit) == resource.NoticeRestart
	steps := planRestart(members, r.Method, down, announced)
	if len(steps) == 0 {
		return nil, nil
	}
	if !down {
		lowered, err := r.lowered(ctx, h)
		if err != nil {
			return nil, err
		}
		steps = planRestart(members, r.Method, lowered, announced)
	}
	return restartChange(ctx, h, steps, "old settings", r.Pool), nil
}

// lowered compares what the leader runs with to what the cluster is configured to: whether
// settings only go down.
func (r *PatroniRestart) lowered(ctx context.Context, h *resource.Host) (bool, error) {
	client, err := r.API.Open(h)
	if err != nil {
		return false, err
	}
	config, err := client.Config(ctx)
	if err != nil {
		return false, err
	}
	s, err := r.Conn.session(ctx, h, maintenance)
	if err != nil {
		return false, nil // PostgreSQL is down here, and has nothing to compare
	}
	postgres, _ := config["postgresql"].(map[string]any)
	wanted, _ := postgres["parameters"].(map[string]any)
	var changes []resource.Field
	var name, running string
	err = s.forEach(ctx, "SELECT name, setting FROM pg_settings", nil, []any{&name, &running}, func() {
		if initial, matters := standbyParameters[name]; matters {
			after := numberOr(configText(wanted[name]), initial)
			changes = append(changes, resource.Field{Name: name, Before: running, After: fmt.Sprint(after)})
		}
	})
	return err == nil && onlyLowered(changes), nil
}

// Apply restarts until nobody waits any more.
func (r *PatroniRestart) Apply(ctx context.Context, h *resource.Host) error {
	for range restartPasses {
		members, err := r.crew().observe(ctx, h)
		if err != nil {
			return err
		}
		lowered, err := r.lowered(ctx, h)
		if err != nil {
			return err
		}
		steps := planRestart(members, r.Method, lowered, false)
		if len(steps) == 0 {
			return nil
		}
		for i, s := range steps {
			if err := r.crew().carryOut(ctx, h, s); err != nil {
				return r.crew().stopped(err, steps[i:])
			}
		}
		r.follow(ctx, h, members)
	}
	members, err := r.crew().observe(ctx, h)
	if err != nil {
		return err
	}
	var waiting []string
	for _, m := range members {
		if m.own.PendingRestart {
			waiting = append(waiting, m.Name+" ("+strings.Join(m.own.Reasons(), ", ")+")")
		}
	}
	if len(waiting) > 0 {
		return fmt.Errorf("cluster %s: restarted, and still waiting for a restart: %s; see Patroni's log there", r.Cluster, strings.Join(waiting, ", "))
	}
	return nil
}

// stopped says what a failure leaves undone.
func (c *crew) stopped(err error, left []restartStep) error {
	var names []string
	for _, s := range left {
		names = append(names, s.member.Name)
	}
	return fmt.Errorf("cluster %s: %w; the restart stops here, so %s may still run with old settings", c.cluster, err, strings.Join(names, ", "))
}

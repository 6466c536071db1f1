package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"pigsty/bench/machine"
	"pigsty/internal/engine"
	"pigsty/internal/resource"
	"pigsty/internal/sandbox"
)

// What the time of a deployment goes to. The first three are PostgreSQL's, etcd's and systemd's
// own work, and no controller can do them faster.
const (
	forInitdb   = "initdb and the primaries' start"
	forCopy     = "replicas: copy, start, streaming"
	forServices = "services starting (systemd units, etcd's election)"
	forSettings = "Patroni's and PostgreSQL's settings, roles, databases"
	forPackages = "packages"
	forTrust    = "trust store"
	forFiles    = "accounts, files, folders, certificates"
	forRest     = "reading, connecting, placing the agent, facts, plan"
	forWaiting  = "between steps"
)

var purposes = []string{forInitdb, forCopy, forServices, forSettings, forPackages, forTrust, forFiles, forWaiting, forRest}

func purpose(e engine.Event) string {
	switch {
	case e.Kind == "pg_ready" && e.Status != resource.InOrder && replicaWait(e):
		return forCopy
	case e.Kind == "pg_ready":
		return forInitdb
	case e.Kind == "unit", e.Kind == "vip_address", strings.HasPrefix(e.Kind, "etcd_"):
		return forServices
	case strings.HasPrefix(e.Kind, "pg_"), strings.HasPrefix(e.Kind, "patroni_") && e.Kind != "patroni_file":
		return forSettings
	case e.Kind == "packages":
		return forPackages
	case e.Kind == "truststore":
		return forTrust
	}
	return forFiles
}

// replicaWait tells whether a pg_ready step waited for a server that follows another one.
func replicaWait(e engine.Event) bool {
	return e.Change != nil && slices.ContainsFunc(e.Change.Fields, func(f resource.Field) bool { return f.After == "running" })
}

// deployment is what the first apply took.
type deployment struct {
	cost
	steps, changes int
	busy           map[string]time.Duration // summed over nodes
	path           map[string]time.Duration // along the longest chain of steps that waited for each other
}

// fromBareNodes deploys on nodes that have none of the packages, and all of them in apt's cache.
func (r *results) fromBareNodes(ctx context.Context, subnet netip.Prefix) (err error) {
	l, err := openLab(ctx, r.options.name, subnet, sandbox.LayerDownloaded)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := r.options.wait(ctx); err != nil {
		return err
	}
	r.loads = append(r.loads, "bare nodes "+machine.Now().Load)
	r.bare, err = deployed(ctx, l)
	return err
}

func (r *results) deploy(ctx context.Context, l *lab) error {
	var err error
	if r.deployed, err = deployed(ctx, l); err != nil {
		return err
	}
	_, a, err := l.pigsty(ctx, 0, "plan")
	if err != nil {
		return fmt.Errorf("the second plan is not empty: %w", err)
	}
	r.verdict = lastLine(a.out)
	return nil
}

// deployed applies the inventory for the first time.
func deployed(ctx context.Context, l *lab) (deployment, error) {
	say("deploying")
	c, a, err := l.pigsty(ctx, 0, "apply", "--yes", "--json")
	if err != nil {
		return deployment{}, err
	}
	events, err := finished(a.out)
	if err != nil {
		return deployment{}, err
	}
	d := deployment{cost: c, steps: len(events), busy: map[string]time.Duration{}}
	for _, e := range events {
		d.busy[purpose(e)] += e.Took
		if e.Status == resource.Changed {
			d.changes++
		}
	}
	d.path = critical(events, c.wall)
	say("deployed in %.1f s", c.wall.Seconds())
	return d, nil
}

// finished are the ends of steps in a run's events.
func finished(out string) ([]engine.Event, error) {
	var events []engine.Event
	decoder := json.NewDecoder(bytes.NewBufferString(out))
	for decoder.More() {
		var e engine.Event
		if err := decoder.Decode(&e); err != nil {
			return nil, fmt.Errorf("read what apply told: %w", err)
		}
		if e.Status != resource.Started {
			events = append(events, e)
		}
	}
	return events, nil
}

// noticeable is a pause before a step that only waiting for another node explains.
const noticeable = 60 * time.Millisecond

// critical walks back from the step that ended last: to the one before it on its node, or, where
// the node had waited, to what another node ended just then. The purposes' times add up to the
// whole.
func critical(events []engine.Event, wall time.Duration) map[string]time.Duration {
	path := map[string]time.Duration{}
	byEnd := func(x, y engine.Event) int { return x.Time.Compare(y.Time) }
	slices.SortStableFunc(events, byEnd)
	last := len(events) - 1
	covered := time.Duration(0)
	for at := last; at >= 0; {
		e := events[at]
		path[purpose(e)] += e.Took
		covered += e.Took
		began := e.Time.Add(-e.Took)
		before := previous(events[:at], began, func(o engine.Event) bool { return o.Node == e.Node })
		if before < 0 || began.Sub(events[before].Time) > noticeable {
			if other := previous(events[:at], began, func(o engine.Event) bool { return o.Node != e.Node }); other > before {
				before = other
			}
		}
		if before >= 0 {
			gap := max(0, began.Sub(events[before].Time))
			path[forWaiting] += gap
			covered += gap
		}
		at = before
	}
	path[forRest] = max(0, wall-covered)
	return path
}

// previous is the last event that had ended at a time, or -1.
func previous(events []engine.Event, by time.Time, ok func(engine.Event) bool) int {
	for i := len(events) - 1; i >= 0; i-- {
		if ok(events[i]) && !events[i].Time.After(by.Add(5*time.Millisecond)) {
			return i
		}
	}
	return -1
}

// own is the part of the longest chain that is not servers being made, copied and started.
func (d *deployment) own() time.Duration {
	return d.wall - d.path[forInitdb] - d.path[forCopy] - d.path[forServices]
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// spread is the least, the middle and the most of some measurements.
type spread struct{ min, median, max time.Duration }

func spreadOf(costs []cost, of func(cost) time.Duration) spread {
	values := make([]time.Duration, len(costs))
	for i, c := range costs {
		values[i] = of(c)
	}
	if len(values) == 0 {
		return spread{}
	}
	slices.SortFunc(values, cmp.Compare)
	return spread{values[0], values[len(values)/2], values[len(values)-1]}
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Restart)(nil)
	_ resource.Resource = (*Reload)(nil)
	_ resource.Resource = (*Reinit)(nil)
	_ resource.Resource = (*Failover)(nil)
	_                   = resource.Register(func() resource.Resource { return &Restart{} })
	_                   = resource.Register(func() resource.Resource { return &Reload{} })
	_                   = resource.Register(func() resource.Resource { return &Reinit{} })
	_                   = resource.Register(func() resource.Resource { return &Failover{} })
)

// chosen are the members of these names, all when there is none. A name of nobody is an error.
func (c *crew) chosen(members []clusterMember, names []string) ([]clusterMember, error) {
	if len(names) == 0 {
		return members, nil
	}
	var some []clusterMember
	for _, name := range names {
		n := slices.IndexFunc(members, func(m clusterMember) bool { return m.Name == name })
		if n < 0 {
			return nil, fmt.Errorf("cluster %s has no member %s; it has %s", c.cluster, name, strings.Join(memberNames(members), ", "))
		}
		some = append(some, members[n])
	}
	return some, nil
}

// Restart restarts PostgreSQL on members of a cluster, whether a setting waits for it or not, one
// at a time and the leader last. It is an order and no state. List it on a member's node.
type Restart struct {
	Cluster string     `json:"cluster"`
	API     PatroniAPI `json:"api"`               // of the member on this node
	Members []string   `json:"members,omitempty"` // none = all
	// Pending leaves out members that no setting waits for.
	Pending bool          `json:"pending,omitempty"`
	Method  RestartMethod `json:"method,omitempty"`  // of the leader; empty = restart
	Pool    *Handover     `json:"pool,omitempty"`    // keeps pools' clients through a switchover; nil = they are cut
	Timeout time.Duration `json:"timeout,omitempty"` // for a member to come back; 0 = 5 minutes
}

func (r *Restart) Kind() string { return "postgres_restart" }
func (r *Restart) Name() string { return r.Cluster }

func (r *Restart) crew() *crew {
	return newCrew(r.Cluster, r.API, r.Timeout).keeping(r.Pool, r)
}

func (r *Restart) steps(ctx context.Context, h *resource.Host) ([]restartStep, error) {
	crew := r.crew()
	all, err := crew.observe(ctx, h)
	if err != nil {
		return nil, err
	}
	some, err := crew.chosen(all, r.Members)
	if err != nil {
		return nil, err
	}
	steps := planRestart(some, RestartInPlace, false, !r.Pending)
	// Who takes over may be one that is not restarted itself.
	if n := len(steps) - 1; r.Method == RestartBySwitchover && n >= 0 && steps[n].member.Leads() {
		steps[n].switchTo, steps[n].problem = successor(all)
	}
	return steps, nil
}

// Diff tells who restarts, in order.
func (r *Restart) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	steps, err := r.steps(ctx, h)
	if err != nil || len(steps) == 0 {
		return nil, err
	}
	return restartChange(ctx, h, steps, "runs", r.Pool), nil
}

// Apply stops at the first member that does not come back.
func (r *Restart) Apply(ctx context.Context, h *resource.Host) error {
	steps, err := r.steps(ctx, h)
	if err != nil {
		return err
	}
	for i, s := range steps {
		if err := r.crew().carryOut(ctx, h, s); err != nil {
			return r.crew().stopped(err, steps[i:])
		}
	}
	return nil
}

// Reload makes members read their settings again. It is an order and no state.
type Reload struct {
	Cluster string     `json:"cluster"`
	API     PatroniAPI `json:"api"`               // of the member on this node
	Members []string   `json:"members,omitempty"` // none = all
}

func (r *Reload) Kind() string { return "postgres_reload" }
func (r *Reload) Name() string { return r.Cluster }

func (r *Reload) members(ctx context.Context, h *resource.Host) ([]clusterMember, error) {
	crew := newCrew(r.Cluster, r.API, 0)
	all, err := crew.observe(ctx, h)
	if err != nil {
		return nil, err
	}
	return crew.chosen(all, r.Members)
}

// Diff tells who reloads.
func (r *Reload) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	members, err := r.members(ctx, h)
	if err != nil {
		return nil, err
	}
	return &resource.Change{Action: resource.Run, Impact: resource.Reload, Effect: strings.Join(memberNames(members), ", ")}, nil
}

// Apply asks all at once and tells of each that refuses.
func (r *Reload) Apply(ctx context.Context, h *resource.Host) error {
	members, err := r.members(ctx, h)
	if err != nil {
		return err
	}
	client, err := r.API.Open(h)
	if err != nil {
		return err
	}
	failed := make([]error, len(members))
	var group sync.WaitGroup
	for i, m := range members {
		group.Go(func() {
			if err := client.At(m.APIURL).Reload(ctx); err != nil {
				failed[i] = fmt.Errorf("%s: %w", m.Name, err)
			}
		})
	}
	group.Wait()
	return errors.Join(failed...)
}

// Reinit has a replica throw its data away and copy them anew. It is an order and no state.
type Reinit struct {
	Cluster string        `json:"cluster"`
	API     PatroniAPI    `json:"api"`               // of the member on this node
	Member  string        `json:"member"`            // the replica
	Timeout time.Duration `json:"timeout,omitempty"` // for the copy and the catching up; 0 = a day
}

func (r *Reinit) Kind() string { return "reinit" }
func (r *Reinit) Name() string { return r.Member }

func (r *Reinit) crew() *crew {
	if r.Timeout == 0 {
		return newCrew(r.Cluster, r.API, 24*time.Hour)
	}
	return newCrew(r.Cluster, r.API, r.Timeout)
}

func (r *Reinit) replica(ctx context.Context, h *resource.Host) (clusterMember, error) {
	all, err := r.crew().observe(ctx, h)
	if err != nil {
		return clusterMember{}, err
	}
	some, err := r.crew().chosen(all, []string{r.Member})
	if err != nil {
		return clusterMember{}, err
	}
	if some[0].Leads() {
		return clusterMember{}, fmt.Errorf("%s leads cluster %s: its data are the original; switch over first", r.Member, r.Cluster)
	}
	if !slices.ContainsFunc(all, func(m clusterMember) bool { return m.Leads() }) {
		return clusterMember{}, fmt.Errorf("cluster %s has no leader to copy from", r.Cluster)
	}
	return some[0], nil
}

// Diff refuses the leader, and a cluster without one.
func (r *Reinit) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	m, err := r.replica(ctx, h)
	if err != nil {
		return nil, err
	}
	state := m.own.State
	if m.problem != nil {
		state = m.problem.Error()
	}
	return &resource.Change{
		Action: resource.Run, Impact: resource.Restart, Effect: "its data are deleted and copied anew; it serves nobody meanwhile",
		Fields: []resource.Field{{Name: "state", Before: state, After: "a new copy"}},
	}, nil
}

// Apply returns when the replica follows the leader again.
func (r *Reinit) Apply(ctx context.Context, h *resource.Host) error {
	m, err := r.replica(ctx, h)
	if err != nil {
		return err
	}
	client, err := r.API.Open(h)
	if err != nil {
		return err
	}
	if err := client.At(m.APIURL).Reinitialize(ctx); err != nil {
		return fmt.Errorf("%s: %w", r.Member, err)
	}
	// It answers before it has begun.
	if err := r.crew().gone(ctx, client.At(m.APIURL)); err != nil {
		return fmt.Errorf("%s: %w", r.Member, err)
	}
	return r.crew().comeback(ctx, client, r.Member, false)
}

// Failover makes a member the leader of a cluster that has none, or none that can hand over. What
// the lost leader acknowledged and this member did not receive is gone. It is an order and no state.
type Failover struct {
	Cluster string        `json:"cluster"`
	API     PatroniAPI    `json:"api"` // of the member on this node
	To      string        `json:"to"`
	Timeout time.Duration `json:"timeout,omitempty"` // 0 = 5 minutes
}

func (f *Failover) Kind() string { return "failover" }
func (f *Failover) Name() string { return f.Cluster }

func (f *Failover) crew() *crew { return newCrew(f.Cluster, f.API, f.Timeout) }

// candidate is the member that is to lead, and the present leader, if any.
func (f *Failover) candidate(ctx context.Context, h *resource.Host) (to clusterMember, leader string, err error) {
	all, err := f.crew().observe(ctx, h)
	if err != nil {
		return clusterMember{}, "", err
	}
	some, err := f.crew().chosen(all, []string{f.To})
	if err != nil {
		return clusterMember{}, "", err
	}
	to = some[0]
	if to.problem != nil {
		return to, "", fmt.Errorf("%s cannot be asked: %w", to.Name, to.problem)
	}
	for _, m := range all {
		if !m.Leads() {
			continue
		}
		leader = m.Name
		if m.problem == nil && m.own.State == "running" && m.Name != f.To {
			return to, leader, fmt.Errorf("%s leads cluster %s and runs: a switchover loses nothing (pigsty pg switchover %s --to %s)", m.Name, f.Cluster, f.Cluster, f.To)
		}
	}
	return to, leader, nil
}

// Diff is nothing when the member leads, and refuses a cluster whose leader runs.
func (f *Failover) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	to, leader, err := f.candidate(ctx, h)
	if err != nil || to.Leads() {
		return nil, err
	}
	if leader == "" {
		leader = "nobody"
	}
	return &resource.Change{
		Action: resource.Run, Impact: resource.DataLoss, Effect: "what " + f.To + " has not received is lost",
		Fields: []resource.Field{{Name: "leader", Before: leader, After: f.To}},
	}, nil
}

// Apply returns when the member leads.
func (f *Failover) Apply(ctx context.Context, h *resource.Host) error {
	to, _, err := f.candidate(ctx, h)
	if err != nil || to.Leads() {
		return err
	}
	client, err := f.API.Open(h)
	if err != nil {
		return err
	}
	if err := client.At(to.APIURL).Failover(ctx, f.To, f.crew().patience); err != nil {
		return err
	}
	return f.crew().comeback(ctx, client, f.To, true)
}

package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"pigsty/internal/resource"
)

// restartStep is one member to restart.
type restartStep struct {
	member clusterMember
	// switchTo is the replica that takes over from the primary, which then restarts as a
	// replica; empty for a restart in place.
	switchTo string
	problem  error // why the step cannot be carried out
}

func (s restartStep) outcome() string {
	switch {
	case s.problem != nil:
		return s.problem.Error()
	case s.switchTo != "":
		return s.switchTo + " takes over, then restarts as a replica"
	}
	return "restarts"
}

// planRestart puts the members that wait for a restart in order. Replicas go first, so that a
// setting that rises is never lower on a replica than on the primary, and the primary goes last;
// the other way round when settings only go down. everybody stands for a change that has been
// announced: all members will wait for a restart.
func planRestart(members []clusterMember, method RestartMethod, lowered, everybody bool) []restartStep {
	var replicas, primary []restartStep
	for _, m := range members {
		waits := m.own.PendingRestart || everybody || m.problem != nil && m.PendingRestart
		if !waits {
			continue
		}
		step := restartStep{member: m}
		if m.problem != nil {
			step.problem = fmt.Errorf("%s cannot be asked to restart: %w", m.Name, m.problem)
		}
		if !m.Leads() {
			replicas = append(replicas, step)
			continue
		}
		if method == RestartBySwitchover && !lowered && len(members) > 1 {
			step.switchTo, step.problem = successor(members)
		}
		primary = append(primary, step)
	}
	slices.SortStableFunc(replicas, func(a, b restartStep) int { return cmp.Compare(a.member.Name, b.member.Name) })
	if lowered {
		return append(primary, replicas...)
	}
	return append(replicas, primary...)
}

// restartChange is the steps as a change of members that were in some state before.
func restartChange(ctx context.Context, h *resource.Host, steps []restartStep, before string, pool *Handover) *resource.Change {
	c := &resource.Change{Action: resource.Run, Impact: resource.Restart, Effect: describeRestart(steps)}
	for _, s := range steps {
		c.Fields = append(c.Fields, resource.Field{Name: s.member.Name, Before: before, After: s.outcome()})
		if s.switchTo != "" {
			c.Impact = resource.Switchover
			c.Effect += "; " + pool.cost(ctx, h, s.member.Name, s.switchTo)
		}
	}
	return c
}

// describeRestart tells the order in a few words.
func describeRestart(steps []restartStep) string {
	var words []string
	for _, s := range steps {
		name := s.member.Name
		if s.member.Leads() {
			name = "the primary " + name
			if s.switchTo != "" {
				name += " after a switchover to " + s.switchTo
			}
		}
		words = append(words, name)
	}
	if len(words) == 1 {
		return words[0]
	}
	return "one at a time: " + strings.Join(words, ", ")
}

package postgres

import (
	"context"
	"fmt"
	"time"

	"pigsty/internal/resource"
)

const (
	comebackPause   = 500 * time.Millisecond
	catchUpPatience = 10 * time.Second
	followPatience  = 30 * time.Second
	gonePatience    = 30 * time.Second
)

// carryOut restarts one member and returns when it does its work again.
func (c *crew) carryOut(ctx context.Context, h *resource.Host, s restartStep) error {
	if s.problem != nil {
		return s.problem
	}
	client, err := c.api.Open(h)
	if err != nil {
		return err
	}
	member := client.At(s.member.APIURL)
	if s.switchTo != "" {
		if err := c.switchOver(ctx, h, member, s.member.Name, ""); err != nil {
			return fmt.Errorf("%s: %w", s.member.Name, err)
		}
		return c.comeback(ctx, client, s.member.Name, false)
	}
	if !s.member.Leads() {
		catchUp(ctx, client, member)
	}
	if err := member.Restart(ctx, c.patience); err != nil {
		return fmt.Errorf("%s: %w", s.member.Name, err)
	}
	return c.comeback(ctx, client, s.member.Name, s.member.Leads())
}

// catchUp lets a replica replay what its leader has written, for a few seconds at most: when the
// leader has restarted with a lower setting, that stands in the WAL, and a replica that has not
// read it starts with the higher one again.
func catchUp(ctx context.Context, client, replica *Patroni) {
	leader, err := client.Member(ctx)
	deadline := time.Now().Add(catchUpPatience)
	for err == nil && time.Now().Before(deadline) {
		var m PatroniMember
		if m, err = replica.Member(ctx); err != nil || m.Xlog.Replayed >= leader.Xlog.Location {
			return
		}
		time.Sleep(comebackPause)
	}
}

// follow waits until the replicas that streamed before do so again: one whose primary has
// restarted looks for it every five seconds. One that does not is noted, and delays nobody.
func (r *PatroniRestart) follow(ctx context.Context, h *resource.Host, members []clusterMember) {
	client, err := r.API.Open(h)
	if err != nil {
		return
	}
	deadline := time.Now().Add(followPatience)
	for _, m := range members {
		for !m.Leads() && m.problem == nil && m.own.ReplicationState == "streaming" && ctx.Err() == nil {
			now, err := client.At(m.APIURL).Member(ctx)
			if err == nil && (now.Role == "primary" || now.ReplicationState == "streaming") {
				break
			}
			if time.Now().After(deadline) {
				h.Note("%s does not stream from the primary yet", m.Name)
				break
			}
			time.Sleep(comebackPause)
		}
	}
}

package resource

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// settlePatience is three of Patroni's usual loops.
	settlePatience = 30 * time.Second
	settlePause    = 250 * time.Millisecond
	// settleNudge is when to ask again: the time of a loop is told in whole seconds, so a loop
	// within the same second as the one before does not show.
	settleNudge = 1500 * time.Millisecond
)

// settle waits until members have taken settings that were changed just before, after which
// each knows whether it needs a restart. A member that cannot be reached is noted: it takes its
// settings when it comes back.
func settle(ctx context.Context, h *Host, client *Patroni, members []PatroniPeer) {
	var group sync.WaitGroup
	for _, m := range members {
		group.Go(func() {
			if err := client.At(m.APIURL).settled(ctx); err != nil {
				h.Note("%s has not taken its new settings yet: %v", m.Name, err)
			}
		})
	}
	group.Wait()
}

// settled makes a member take its settings and returns when it has.
//
// Patroni only answers that it will reload. What shows is the time at which it last read the
// DCS: once that moves, a loop has begun after the change; once it moves again, that loop has
// ended, and with it the comparison of the new settings with those PostgreSQL runs with.
func (p *Patroni) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settlePatience)
	defer cancel()
	m, err := p.Member(ctx)
	if err != nil {
		return err
	}
	for range 2 {
		if m, err = p.nextLoop(ctx, m.DCSLastSeen); err != nil || m.PendingRestart {
			return err
		}
	}
	return nil
}

// nextLoop makes the member run its loop, and returns its state once it has read the DCS later
// than seen.
func (p *Patroni) nextLoop(ctx context.Context, seen int64) (PatroniMember, error) {
	var asked time.Time
	for {
		if time.Since(asked) > settleNudge {
			if err := p.Reload(ctx); err != nil {
				return PatroniMember{}, err
			}
			asked = time.Now()
		}
		select {
		case <-ctx.Done():
			return PatroniMember{}, errors.New("its loop did not run in time; see its log")
		case <-time.After(settlePause):
		}
		m, err := p.Member(ctx)
		if err != nil && ctx.Err() == nil {
			return m, err
		}
		if err == nil && (m.DCSLastSeen > seen || m.PendingRestart) {
			return m, nil
		}
	}
}

package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"pigsty/internal/resource"
)

const (
	// settlePatience is two loops of a Patroni that is set to be slow.
	settlePatience = time.Minute
	settlePause    = 250 * time.Millisecond
)

// settle waits until members have taken settings that were changed just before, after which
// each knows whether it needs a restart. A member that cannot be reached is noted: it takes its
// settings when it comes back.
func settle(ctx context.Context, h *resource.Host, client *Patroni, members []PatroniPeer) {
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

// settled returns when a member has taken its settings.
//
// Patroni does not say when it has. Either it turns out to wait for a restart; or the time at
// which it last read the DCS tells: once that moves, a loop has begun after the change; once it
// moves again, that loop has ended, and with it the comparison of the new settings with those
// PostgreSQL runs with. It is not told to reload meanwhile: it would do so in its next loop, and
// a reload that meets the restart makes it forget that a replica still waits for one.
func (p *Patroni) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settlePatience)
	defer cancel()
	m, err := p.Member(ctx)
	for range 2 {
		if err != nil || m.PendingRestart {
			return err
		}
		m, err = p.nextLoop(ctx, m.DCSLastSeen)
	}
	return err
}

// nextLoop returns the member's state once it has read the DCS later than seen.
func (p *Patroni) nextLoop(ctx context.Context, seen int64) (PatroniMember, error) {
	for {
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

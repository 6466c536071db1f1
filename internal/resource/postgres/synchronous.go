package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Waiter = (*Synchronous)(nil)
	_                 = resource.Register(func() resource.Resource { return &Synchronous{} })
)

// Synchronous waits, on the leader, until a replica confirms what is committed. Patroni chooses one
// in a round of its own after the replica has come up; until then the leader acknowledges alone, and
// an acknowledged write goes with it. A leader without any replica has nobody to wait for.
type Synchronous struct {
	Cluster string `json:"cluster"`
	Conn    Conn   `json:"conn"`
	// Members are the replicas that may be chosen, by name.
	Members []string      `json:"members"`
	Timeout time.Duration `json:"timeout,omitempty"` // 0 = 1 minute
}

// The names that replicas give are those of Patroni's members; a copy that is being made is none.
const synchronousQuery = `
SELECT count(*) FILTER (WHERE state = 'streaming'), count(*) FILTER (WHERE sync_state IN ('sync', 'quorum'))
FROM pg_stat_replication WHERE application_name = ANY ($1) AND NOT pg_is_in_recovery()`

func (y *Synchronous) Kind() string { return "pg_synchronous" }
func (y *Synchronous) Name() string { return y.Cluster }

// lacking tells whether there are replicas and none of them is synchronous.
func (y *Synchronous) lacking(ctx context.Context, h *resource.Host) (bool, error) {
	s, err := y.Conn.session(ctx, h, maintenance)
	if err != nil {
		return false, err
	}
	var streaming, synchronous int
	err = s.QueryRow(ctx, synchronousQuery, y.Members).Scan(&streaming, &synchronous)
	return streaming > 0 && synchronous == 0, problem("look for a synchronous standby", err)
}

// Diff is a change while replicas stream and none is synchronous.
func (y *Synchronous) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	lacking, err := y.lacking(ctx, h)
	switch {
	case errors.Is(err, errNoServer):
	case err != nil:
		return nil, err
	case !lacking:
		return nil, nil
	}
	return &resource.Change{Action: resource.Run, Fields: []resource.Field{{Name: "wait for", Before: "the leader acknowledges alone", After: "a synchronous standby"}}}, nil
}

// Waits marks the kind.
func (y *Synchronous) Waits() {}

// Apply waits until there is one.
func (y *Synchronous) Apply(ctx context.Context, h *resource.Host) error {
	timeout := y.Timeout
	if timeout == 0 {
		timeout = time.Minute
	}
	for deadline := time.Now().Add(timeout); ; {
		lacking, err := y.lacking(ctx, h)
		if err != nil || !lacking {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no replica of cluster %s has become synchronous within %s: what is committed is lost with the leader; see pg list and /pg/log/patroni.log on the leader's node", y.Cluster, timeout)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(readyPause):
		}
	}
}

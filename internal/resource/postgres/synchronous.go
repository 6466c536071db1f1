package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Waiter = (*Synchronous)(nil)
	_                 = resource.Register(func() resource.Resource { return &Synchronous{} })
)

// Synchronous waits until Patroni counts on a replica to have what is committed. It chooses one in a
// round of its own after the replica has come up; until then the leader acknowledges alone, and an
// acknowledged write goes with it. A leader without any replica has nobody to wait for.
type Synchronous struct {
	Cluster string     `json:"cluster"`
	API     PatroniAPI `json:"api"` // the node's own member
	// Conn is the node's own server, which knows of a replica that streams before Patroni does.
	Conn Conn `json:"conn"`
	// Members are the replicas that may be chosen, by name.
	Members []string      `json:"members"`
	Timeout time.Duration `json:"timeout,omitempty"` // 0 = 1 minute
}

func (y *Synchronous) Kind() string { return "pg_synchronous" }
func (y *Synchronous) Name() string { return y.Cluster }

// lacking tells whether there are replicas and none of them is synchronous.
func (y *Synchronous) lacking(ctx context.Context, h *resource.Host) (bool, error) {
	client, err := y.API.Open(h)
	if err != nil {
		return false, err
	}
	cluster, err := client.Cluster(ctx)
	if err != nil {
		return false, err
	}
	lacking := false
	for _, m := range cluster.Members {
		if m.synchronous() {
			return false, nil
		}
		replicates := m.State == "streaming" || m.State == "running" // running before Patroni 3.0.3
		lacking = lacking || !m.Leads() && replicates && slices.Contains(y.Members, m.Name)
	}
	return lacking || y.feeds(ctx, h), nil
}

const feedsQuery = "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND application_name = ANY ($1))"

// feeds tells whether the server feeds a replica that may be chosen. What Patroni tells of others is
// up to a loop old: a replica that has just come up is still being created there. A server that cannot
// be asked feeds nobody.
func (y *Synchronous) feeds(ctx context.Context, h *resource.Host) bool {
	s, err := y.Conn.session(ctx, h, maintenance)
	if err != nil {
		return false
	}
	var feeds bool
	return s.QueryRow(ctx, feedsQuery, y.Members).Scan(&feeds) == nil && feeds
}

// Diff is a change while replicas stream and none is synchronous.
func (y *Synchronous) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	lacking, err := y.lacking(ctx, h)
	switch {
	case errors.Is(err, errNoPatroni):
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

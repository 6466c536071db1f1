package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"pigsty/internal/health"
)

// Config is a cluster's dynamic configuration as the first of its members that answers has it.
func (s *Site) Config(ctx context.Context, cluster string, dial Dialer) (json.RawMessage, error) {
	c, err := s.cluster(cluster)
	if err != nil {
		return nil, err
	}
	nodes := members(c)
	fleet := s.Connect(ctx, nodes, dial)
	defer fleet.Leave()
	var failed []error
	for _, n := range nodes {
		session := fleet.Sessions[n.Addr]
		if session == nil {
			failed = append(failed, fleet.Lost[n.Addr])
			continue
		}
		answer, err := session.Health(ctx, health.Query{PatroniPort: n.Pg.Param.PatroniPort, Config: true})
		if err == nil && answer.Config != nil {
			return answer.Config, nil
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(append(failed, fmt.Errorf("no Patroni of cluster %s tells its configuration: see pigsty pg list %s", c.Name, c.Name))...)
}

// Pending are the members of a cluster that a setting waits for to be restarted.
func (s *Site) Pending(ctx context.Context, cluster string, dial Dialer) ([]string, error) {
	status, err := s.Clusters(ctx, []string{cluster}, dial)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range status.Clusters[0].Members {
		if m.PendingRestart {
			names = append(names, m.Name)
		}
	}
	return names, nil
}

package fact

import (
	"context"
	"sync"
	"time"

	"pigsty/internal/patroni"
)

// patroniPatience is how long one question to Patroni may take. It answers from memory, and a
// node that is down must not hold up a plan.
const patroniPatience = 500 * time.Millisecond

// askPatroni asks the member on this node about itself and its cluster; nil when it does not
// answer.
func askPatroni(ctx context.Context, port int) *Patroni {
	api := patroni.NewLocal(port, patroniPatience)
	var member struct {
		Role     string `json:"role"`
		State    string `json:"state"`
		Timeline int    `json:"timeline"`
		Patroni  struct {
			Version string `json:"version"`
		} `json:"patroni"`
	}
	var leads string
	var group sync.WaitGroup
	group.Go(func() { leads = leader(ctx, api) })
	err := api.Get(ctx, "/patroni", &member)
	group.Wait()
	if err != nil || member.State == "" {
		return nil
	}
	return &Patroni{
		Role:     primaryName(member.Role),
		State:    member.State,
		Timeline: member.Timeline,
		Leader:   leads,
		Version:  member.Patroni.Version,
	}
}

// primaryName gives the role its present name: before version 4, Patroni said "master".
func primaryName(role string) string {
	if role == "master" {
		return "primary"
	}
	return role
}

// leader is the name of the member that leads the cluster; empty when none does.
func leader(ctx context.Context, api *patroni.Local) string {
	var cluster struct {
		Members []struct {
			Name string `json:"name"`
			Role string `json:"role"`
		} `json:"members"`
	}
	if api.Get(ctx, "/cluster", &cluster) != nil {
		return ""
	}
	for _, m := range cluster.Members {
		if m.Role == "leader" || m.Role == "standby_leader" {
			return m.Name
		}
	}
	return ""
}

package etcd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// peer is a member as the cluster's own list has it. One that was added and has never
// started has neither a name nor client URLs.
type peer struct {
	ID         string   `json:"ID"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peerURLs"`
	ClientURLs []string `json:"clientURLs"`
	IsLearner  bool     `json:"isLearner"`
}

// label names the member for people.
func (p peer) label() string {
	if p.Name == "" {
		return strings.Join(p.PeerURLs, ",")
	}
	return fmt.Sprintf("%s (%s)", p.Name, strings.Join(p.PeerURLs, ","))
}

func (p peer) started() bool { return len(p.ClientURLs) > 0 }

// members returns the cluster's list. etcd gives it to anybody with a client certificate.
func (c *apiClient) members(ctx context.Context) ([]peer, error) {
	var answer struct{ Members []peer }
	err := c.call(ctx, "/v3/cluster/member/list", struct{}{}, &answer)
	return answer.Members, err
}

// byPeerURL finds a member by its peer URL, which is its identity: the name is unset until a
// member has started.
func byPeerURL(members []peer, url string) *peer {
	for i, m := range members {
		if slices.Contains(m.PeerURLs, url) {
			return &members[i]
		}
	}
	return nil
}

func (c *apiClient) addLearner(ctx context.Context, peerURL string) error {
	return c.call(ctx, "/v3/cluster/member/add", map[string]any{"peerURLs": []string{peerURL}, "isLearner": true}, &struct{}{})
}

func (c *apiClient) remove(ctx context.Context, p peer) error {
	err := c.call(ctx, "/v3/cluster/member/remove", map[string]string{"ID": p.ID}, &struct{}{})
	if says(err, "member not found") {
		return nil
	}
	return err
}

// promote gives a learner its vote. The leader is asked itself: a follower passes the request
// on, and was seen to time out over it (3.5.16).
func (c *apiClient) promote(ctx context.Context, members []peer, id string) error {
	var status struct{ Leader string }
	if err := c.call(ctx, "/v3/maintenance/status", struct{}{}, &status); err != nil {
		return err
	}
	atLeader := *c
	for _, m := range members {
		if m.ID == status.Leader {
			atLeader.api.Endpoints = append(slices.Clone(m.ClientURLs), c.api.Endpoints...)
		}
	}
	return atLeader.call(ctx, "/v3/cluster/member/promote", map[string]string{"ID": id}, &struct{}{})
}

// health asks one member whether it serves; that needs a leader, and so a quorum.
func (c *apiClient) health(ctx context.Context, endpoint string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/health", nil)
	if err != nil {
		return err
	}
	text, err := c.do(request)
	if err != nil {
		return err
	}
	var answer struct{ Health, Reason string }
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	if answer.Health != "true" {
		return fmt.Errorf("etcd at %s says it is not healthy: %s", endpoint, answer.Reason)
	}
	return nil
}

// probeTimeout is how long a member may take to show that it is alive.
const probeTimeout = 3 * time.Second

// alive tells whether a member of the list serves.
func (c *apiClient) alive(ctx context.Context, p peer) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return slices.ContainsFunc(p.ClientURLs, func(url string) bool { return c.health(ctx, url) == nil })
}

// retryPause is the time between two tries.
const retryPause = 200 * time.Millisecond

// untilDone repeats an action until it succeeds, gives an error that waiting does not help, or
// the time is over.
func untilDone(ctx context.Context, limit time.Duration, passing func(error) bool, action func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := action()
		if err == nil || !passing(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryPause):
		}
	}
}

// always is for failures that each may pass.
func always(error) bool { return true }

package etcd

import (
	"context"
	"fmt"
	"strings"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Quorum)(nil)
	_                   = resource.Register(func() resource.Resource { return &Quorum{} })
)

// Quorum stands before a member's unit and lets a restart pass only when the other members
// keep the cluster going meanwhile. It changes nothing.
type Quorum struct {
	Unit    string `json:"unit"`
	PeerURL string `json:"peer_url"` // the member that may restart
	API     API    `json:"api"`
}

func (q *Quorum) Kind() string { return "etcd_quorum" }
func (q *Quorum) Name() string { return q.Unit }

// Diff fails when the unit is about to restart and the others are too few. A member that does
// not run has nothing to lose.
func (q *Quorum) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	if h.PendingNotice(q.Unit) != resource.NoticeRestart {
		return nil, nil
	}
	state, err := h.Systemd.State(ctx, q.Unit)
	if err != nil || !state.Running() {
		return nil, err
	}
	client, err := q.API.open(h)
	if err != nil {
		return nil, err
	}
	defer client.close()
	members, err := client.members(ctx)
	if err != nil {
		return nil, err
	}
	return nil, q.check(ctx, client, members)
}

func (q *Quorum) check(ctx context.Context, client *apiClient, members []peer) error {
	voters, alive := 0, 0
	var dead []string
	for _, m := range members {
		if m.IsLearner {
			continue
		}
		voters++
		switch self := byPeerURL([]peer{m}, q.PeerURL); {
		case self != nil:
		case client.alive(ctx, m):
			alive++
		default:
			dead = append(dead, m.label())
		}
	}
	// One or two members cannot do without any; there a restart is a short pause.
	if len(dead) > 0 && alive < voters/2+1 {
		return fmt.Errorf("etcd is not restarted with its new settings: %s does not answer, and without this member too the cluster would stop; bring it back, or take it out of dcs_servers", strings.Join(dead, " and "))
	}
	return nil
}

// Apply has nothing to do.
func (q *Quorum) Apply(context.Context, *resource.Host) error { return nil }

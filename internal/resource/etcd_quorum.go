package resource

import (
	"context"
	"fmt"
	"strings"
)

var (
	_ Resource = (*EtcdQuorum)(nil)
	_          = Register(func() Resource { return &EtcdQuorum{} })
)

// EtcdQuorum stands before a member's unit and lets a restart pass only when the other members
// keep the cluster going meanwhile. It changes nothing.
type EtcdQuorum struct {
	Unit    string  `json:"unit"`
	PeerURL string  `json:"peer_url"` // the member that may restart
	API     EtcdAPI `json:"api"`
}

func (q *EtcdQuorum) Kind() string { return "etcd_quorum" }
func (q *EtcdQuorum) Name() string { return q.Unit }

// Diff fails when the unit is about to restart and the others are too few. A member that does
// not run has nothing to lose.
func (q *EtcdQuorum) Diff(ctx context.Context, h *Host) (*Change, error) {
	if h.PendingNotice(q.Unit) != NoticeRestart {
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

func (q *EtcdQuorum) check(ctx context.Context, client *etcdClient, members []etcdPeer) error {
	voters, alive := 0, 0
	var dead []string
	for _, m := range members {
		if m.IsLearner {
			continue
		}
		voters++
		switch self := byPeerURL([]etcdPeer{m}, q.PeerURL); {
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
func (q *EtcdQuorum) Apply(context.Context, *Host) error { return nil }

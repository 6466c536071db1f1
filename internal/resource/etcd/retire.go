package etcd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Retire)(nil)
	_                   = resource.Register(func() resource.Resource { return &Retire{} })
)

// Retire puts away what is left of a member that has left its cluster: its unit, which would
// start again with the node, and its data, under which it could never join again. List it after
// Leave. A member that the cluster still counts, or that serves another cluster, is left
// alone.
type Retire struct {
	Unit      string `json:"unit"`
	ClientURL string `json:"client_url"`          // where the member answers clients
	PeerURL   string `json:"peer_url"`            // the member's
	Data      string `json:"data"`                // its data directory
	Safeguard bool   `json:"safeguard,omitempty"` // dcs_safeguard, which keeps a living member where it is
	API       API    `json:"api"`                 // with the member's own certificate
}

// exitPatience is how long a member may take to end by itself once it is out of the cluster.
const exitPatience = 15 * time.Second

func (r *Retire) Kind() string { return "etcd_retire" }
func (r *Retire) Name() string { return r.Unit }

func (r *Retire) unit() *resource.Unit {
	return &resource.Unit{Unit: r.Unit, Stopped: true, Disabled: true}
}

// aside is what etcd keeps in its data directory, which itself may be a disk of its own.
func (r *Retire) aside() *resource.SetAside {
	name := strings.TrimSuffix(strings.TrimPrefix(r.PeerURL, "https://"), ":2380")
	return &resource.SetAside{What: resource.AsideEtcd, Item: name, As: name, Paths: []string{filepath.Join(r.Data, "member")}}
}

// Diff lists what is left. Before the member has left, it counts on the step that removes it.
func (r *Retire) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	c := &resource.Change{Action: resource.Delete, Effect: "its data is set aside"}
	for _, part := range []resource.Resource{r.unit(), r.aside()} {
		left, err := part.Diff(ctx, h)
		if err != nil {
			return nil, err
		}
		if left != nil {
			c.Fields = append(c.Fields, left.Fields...)
		}
	}
	if len(c.Fields) == 0 {
		return nil, nil
	}
	counted, serves, err := r.ask(ctx, h)
	switch {
	case err != nil:
		h.Note("etcd on this node is not listed in dcs_servers, and is left alone: the cluster cannot be asked whether it still counts it: %v", err)
		return nil, nil
	case counted && r.Safeguard:
		return nil, nil // Leave tells
	case !counted && serves && !r.ends(ctx, h):
		h.Note("etcd on this node is not listed in dcs_servers, and is left alone: it serves another cluster")
		return nil, nil
	}
	return c, nil
}

// ends waits for a member that has just been removed to end by itself, and tells whether it does.
// One of another cluster is not waited for.
func (r *Retire) ends(ctx context.Context, h *resource.Host) bool {
	client, err := r.API.open(h)
	if err != nil {
		return false
	}
	defer client.close()
	member := *client
	member.api.Endpoints = []string{r.ClientURL}
	err = untilDone(ctx, exitPatience, func(err error) bool { return !errors.Is(err, errForeign) }, func() error {
		state, err := h.Systemd.State(ctx, r.Unit)
		if err != nil || !state.Running() {
			return err
		}
		if theirs, err := member.clusterID(ctx); err == nil {
			if ours, err := client.clusterID(ctx); err == nil && ours != theirs {
				return errForeign
			}
		}
		return errRuns
	})
	return err == nil
}

var (
	errForeign = errors.New("it serves another cluster")
	errRuns    = errors.New("it still runs")
)

// ask tells whether the cluster counts the member, and whether that serves any cluster.
func (r *Retire) ask(ctx context.Context, h *resource.Host) (counted, serves bool, err error) {
	client, err := r.API.open(h)
	if err != nil {
		return false, false, err
	}
	defer client.close()
	members, err := client.members(ctx)
	if err != nil {
		return false, false, err
	}
	state, err := h.Systemd.State(ctx, r.Unit)
	if err != nil {
		return false, false, err
	}
	return byPeerURL(members, r.PeerURL) != nil, state.Running(), nil
}

// Apply stops and disables the unit, then sets the data aside.
func (r *Retire) Apply(ctx context.Context, h *resource.Host) error {
	err := untilDone(ctx, exitPatience, always, func() error {
		switch counted, serves, err := r.ask(ctx, h); {
		case err != nil:
			return err
		case counted:
			return fmt.Errorf("etcd still counts this node's member: apply again without a limit, so that it leaves first")
		case serves:
			return fmt.Errorf("this node's member has left the cluster and still runs: stop %s and apply again", r.Unit)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.unit().Apply(ctx, h); err != nil {
		return err
	}
	if c, err := r.aside().Diff(ctx, h); c == nil || err != nil {
		return err
	}
	return r.aside().Apply(ctx, h)
}

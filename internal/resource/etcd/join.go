package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Join)(nil)
	_                   = resource.Register(func() resource.Resource { return &Join{} })
)

// Join brings a node without data into a cluster that runs elsewhere: as a learner first,
// which costs the cluster no quorum should the node never come up. A member whose disk was
// replaced is removed before: under its old identity it would have forgotten what it has
// acknowledged, and etcd stops with a panic ("tocommit is out of range").
type Join struct {
	Member  string   `json:"member"`
	PeerURL string   `json:"peer_url"`
	Peers   []string `json:"peers"`   // peer URLs of the members that run
	Cluster string   `json:"cluster"` // its name, the initial cluster token
	Data    string   `json:"data"`    // data directory
	Path    string   `json:"path"`    // file with the settings of the first start
	API     API      `json:"api"`     // of the members that run
}

// settleTimeout is how long etcd may refuse new members: it wants five seconds without a lost
// connection between those it has.
const settleTimeout = 30 * time.Second

func (j *Join) Kind() string { return "etcd_join" }
func (j *Join) Name() string { return j.Member }

// Diff does nothing on a node with data, which is what makes it a member for good.
func (j *Join) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	if hasData(h, j.Data) {
		return nil, nil
	}
	c := &resource.Change{Action: resource.Create}
	self, err := j.look(ctx, h)
	switch {
	case err != nil || self == nil: // without an answer, as if it were new
		c.Add("member", "", "joins as a learner")
	case self.started():
		c.Action = resource.Update
		c.Add("member", "lost its data", "removed, and joins as a learner")
	default:
		c.Add("member", "", "starts for the first time")
	}
	return c, nil
}

func (j *Join) look(ctx context.Context, h *resource.Host) (*peer, error) {
	client, err := j.API.open(h)
	if err != nil {
		return nil, err
	}
	defer client.close()
	members, err := client.peers(ctx, j.Peers)
	return byPeerURL(members, j.PeerURL), err
}

// Apply makes the cluster expect the member, and writes what its first start needs to know.
func (j *Join) Apply(ctx context.Context, h *resource.Host) error {
	client, err := j.API.open(h)
	if err != nil {
		return err
	}
	defer client.close()
	// The members that are to answer may be starting themselves at this moment.
	var members []peer
	err = untilDone(ctx, settleTimeout, always, func() (err error) {
		members, err = client.peers(ctx, j.Peers)
		return err
	})
	if err != nil {
		return err
	}
	self := byPeerURL(members, j.PeerURL)
	if self == nil || self.started() {
		if err := j.enter(ctx, client, self); err != nil {
			return err
		}
	}
	err = untilDone(ctx, settleTimeout, always, func() (err error) {
		members, err = j.expected(ctx, client)
		return err
	})
	if err != nil {
		return err
	}
	return h.WriteFile(j.Path, []byte(j.firstStart(members)), 0o644)
}

// enter has the member added to the cluster's list, after its former self was removed.
func (j *Join) enter(ctx context.Context, client *apiClient, former *peer) error {
	if former != nil {
		if client.alive(ctx, *former) {
			return fmt.Errorf("etcd member %s has no data in %s and yet runs; has etcd_data_dir changed? stop it, move its data there, and apply again", former.label(), j.Data)
		}
		if err := untilDone(ctx, settleTimeout, momentary, func() error { return client.remove(ctx, *former) }); err != nil {
			return fmt.Errorf("remove etcd member %s, whose data is gone: %w", former.label(), err)
		}
	}
	if err := untilDone(ctx, settleTimeout, unsettled, func() error { return j.add(ctx, client) }); err != nil {
		return fmt.Errorf("add %s to the etcd cluster: %w; all its other members have to be up for that", j.Member, err)
	}
	return nil
}

// add asks to be added. Any member may take the request or refuse it by what it knows itself.
func (j *Join) add(ctx context.Context, client *apiClient) error {
	err := client.addLearner(ctx, j.PeerURL)
	if !listed(err) {
		return err
	}
	// Either an earlier request was taken and its answer lost, or this member has not heard yet
	// that the former self was removed.
	if _, unknown := j.expected(ctx, client); unknown != nil {
		return err
	}
	return nil
}

// listed tells whether etcd says that the one to be added is there already. A member's identity is made
// of its peer URL and the second in which it is added, and is looked at first.
func listed(err error) bool {
	return says(err, "Peer URLs already exists") || says(err, "member ID already exist")
}

// unsettled tells whether etcd refuses only for the moment, as an "unhealthy cluster" does.
func unsettled(err error) bool {
	return momentary(err) || says(err, "too many learner members") || listed(err)
}

// expected returns the list of members once every one that runs has this one on it as one that is
// still to start. A member tells what it knows itself, which right after the change of a list may
// be the old one; with that, or asking one that has that, etcd refuses its first start for good.
func (j *Join) expected(ctx context.Context, client *apiClient) (members []peer, err error) {
	for _, url := range j.Peers {
		told, err := client.peersOf(ctx, url)
		if err != nil {
			continue // nor will the new member ask one that is gone
		}
		if self := byPeerURL(told, j.PeerURL); self == nil || self.started() {
			return nil, fmt.Errorf("the etcd member at %s does not yet know that %s joins", url, j.Member)
		}
		members = told
	}
	if members == nil {
		return nil, fmt.Errorf("none of the etcd cluster's members can tell who is one: %s", strings.Join(j.Peers, ", "))
	}
	return members, nil
}

// firstStart is the environment of a first start: the list must be the cluster's own, whatever
// the inventory lists.
func (j *Join) firstStart(members []peer) string {
	state := "existing"
	// Before the founders have come up there is nothing to join yet: etcd would refuse it as
	// "incompatible with current running cluster". A founder that is late founds as well.
	if self := byPeerURL(members, j.PeerURL); self != nil && self.Name != "" && !slices.ContainsFunc(members, peer.started) {
		state = "new"
	}
	var list []string
	for _, m := range members {
		name := m.Name
		if m.Name == "" {
			name = m.ID // any name does for others that have not started
		}
		for _, url := range m.PeerURLs {
			if url == j.PeerURL {
				name = j.Member
			}
			list = append(list, name+"="+url)
		}
	}
	return FirstStart(state, j.Cluster, j.PeerURL, list)
}

// FirstStart is the text of the file with the settings that etcd reads on its first start
// and ignores once it has data; members are "name=peer URL".
func FirstStart(state, token, peerURL string, members []string) string {
	return "# pigsty: for the first start only; etcd ignores this once it has data.\n" +
		"ETCD_INITIAL_CLUSTER_STATE=" + state + "\n" +
		"ETCD_INITIAL_CLUSTER_TOKEN=" + token + "\n" +
		"ETCD_INITIAL_ADVERTISE_PEER_URLS=" + peerURL + "\n" +
		"ETCD_INITIAL_CLUSTER=" + strings.Join(members, ",") + "\n"
}

// peers returns the list of members as one of them tells its peers. Unlike the gateway, that
// works before a quorum has come up, and needs no user.
func (c *apiClient) peers(ctx context.Context, urls []string) ([]peer, error) {
	err := errors.New("no member is known to run")
	for _, url := range urls {
		var members []peer
		if members, err = c.peersOf(ctx, url); err == nil {
			return members, nil
		}
	}
	return nil, fmt.Errorf("ask the etcd cluster for its members: %w", err)
}

func (c *apiClient) peersOf(ctx context.Context, url string) ([]peer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/members", nil)
	if err != nil {
		return nil, err
	}
	text, err := c.do(request)
	if err != nil {
		return nil, err
	}
	var told []struct {
		ID uint64 `json:"id"` // a number here, a string in the gateway's answers
		peer
	}
	if err := json.Unmarshal(text, &told); err != nil {
		return nil, err
	}
	members := make([]peer, len(told))
	for i, m := range told {
		members[i] = m.peer
		members[i].ID = strconv.FormatUint(m.ID, 10)
	}
	return members, nil
}

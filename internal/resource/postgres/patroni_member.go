package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// PatroniMember is what a member says of itself.
type PatroniMember struct {
	State         string `json:"state"` // running, starting, creating replica, stopped …
	Role          string `json:"role"`  // primary, replica or standby_leader
	ServerVersion int    `json:"server_version"`
	Timeline      int    `json:"timeline"`
	// ReplicationState is streaming or in archive recovery; empty on a primary, and before
	// Patroni 3.0.3.
	ReplicationState string                   `json:"replication_state"`
	PendingRestart   bool                     `json:"pending_restart"`
	PendingReason    map[string]PatroniReason `json:"pending_restart_reason"` // since Patroni 4
	// DCSLastSeen is when the member last read the cluster's state from the DCS, in seconds
	// since 1970: it moves with every loop.
	DCSLastSeen int64       `json:"dcs_last_seen"`
	Pause       bool        `json:"pause"` // Patroni was told to keep its hands off
	Xlog        PatroniXlog `json:"xlog"`
	Patroni     struct {
		Version string `json:"version"`
		Scope   string `json:"scope"`
		Name    string `json:"name"`
	} `json:"patroni"`
}

// PatroniReason is why a restart is pending: a parameter's value now and after it.
type PatroniReason struct {
	Old string `json:"old_value"`
	New string `json:"new_value"`
}

// PatroniXlog are a member's WAL positions, in bytes: Location on a primary, the others on a
// replica.
type PatroniXlog struct {
	Location int64 `json:"location"`
	Received int64 `json:"received_location"`
	Replayed int64 `json:"replayed_location"`
}

// PatroniCluster is the cluster as the DCS knows it, up to one loop old.
type PatroniCluster struct {
	Members []PatroniPeer `json:"members"`
	Pause   bool          `json:"pause"`
}

// PatroniPeer is one member in PatroniCluster.
type PatroniPeer struct {
	Name           string         `json:"name"`
	Role           string         `json:"role"` // leader, standby_leader, replica, sync_standby or quorum_standby
	State          string         `json:"state"`
	APIURL         string         `json:"api_url"`
	Host           string         `json:"host"`
	Port           int            `json:"port"`
	Timeline       int            `json:"timeline"`
	Lag            PatroniLag     `json:"lag"`
	PendingRestart bool           `json:"pending_restart"`
	Tags           map[string]any `json:"tags"`
}

// PatroniLag is how many bytes of WAL a replica is behind; UnknownLag when Patroni cannot say.
type PatroniLag int64

// UnknownLag is the lag of a member that does not tell its position.
const UnknownLag PatroniLag = -1

// UnmarshalJSON reads a number, or the word unknown.
func (l *PatroniLag) UnmarshalJSON(data []byte) error {
	*l = UnknownLag
	if strings.HasPrefix(string(data), `"`) {
		return nil
	}
	return json.Unmarshal(data, (*int64)(l))
}

// Leads tells whether the member holds the leader key.
func (m PatroniPeer) Leads() bool { return m.Role == "leader" || m.Role == "standby_leader" }

// Leader is the member that leads; ok is false when none does.
func (c PatroniCluster) Leader() (leader PatroniPeer, ok bool) {
	n := slices.IndexFunc(c.Members, PatroniPeer.Leads)
	if n < 0 {
		return PatroniPeer{}, false
	}
	return c.Members[n], true
}

// Reasons names the parameters that a restart is pending for, where Patroni tells them.
func (m PatroniMember) Reasons() []string { return slices.Sorted(maps.Keys(m.PendingReason)) }

// Member asks the member for its own state.
func (p *Patroni) Member(ctx context.Context) (PatroniMember, error) {
	var m PatroniMember
	err := p.ask(ctx, "ask Patroni for its state", "/patroni", &m)
	if m.Role == "master" { // before Patroni 4
		m.Role = "primary"
	}
	return m, err
}

// leading tells whether the member says that it leads, be it a cluster that follows another.
func (m PatroniMember) leading() bool { return m.Role == "primary" || m.Role == "standby_leader" }

// Cluster asks for all members.
func (p *Patroni) Cluster(ctx context.Context) (PatroniCluster, error) {
	var c PatroniCluster
	err := p.ask(ctx, "ask Patroni for its cluster", "/cluster", &c)
	return c, err
}

// Config is the cluster's dynamic configuration; its numbers are json.Number. A member that has
// just founded the cluster may answer 502 until its next loop: its view of etcd lags behind what
// it wrote itself.
func (p *Patroni) Config(ctx context.Context) (map[string]any, error) {
	for deadline := time.Now().Add(patroniPatience); ; {
		var config map[string]any
		err := p.ask(ctx, "ask Patroni for its configuration", "/config", &config)
		var answer *PatroniError
		if !errors.As(err, &answer) || answer.Status != http.StatusBadGateway || time.Now().After(deadline) {
			return config, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(settlePause):
		}
	}
}

// PatchConfig changes the keys that are given; null removes one.
func (p *Patroni) PatchConfig(ctx context.Context, patch map[string]any) error {
	return p.order(ctx, "change Patroni's configuration", http.MethodPatch, "/config", patch, patroniPatience)
}

// Reload makes the member read its file. It answers before that is done: the member does it in
// its next loop, which it is woken for where it can be.
func (p *Patroni) Reload(ctx context.Context) error {
	if err := p.order(ctx, "reload Patroni", http.MethodPost, "/reload", nil, patroniPatience); err != nil {
		return err
	}
	// Any change of the configuration wakes a member, also one that removes a key that is not
	// there. Where that fails the loop comes by itself, within seconds.
	_ = p.PatchConfig(ctx, map[string]any{wakeKey: nil})
	return nil
}

// wakeKey is in no configuration.
const wakeKey = "pigsty_wake"

// Restart restarts PostgreSQL on the member and returns when Patroni is done with it, or gives
// up after timeout.
func (p *Patroni) Restart(ctx context.Context, timeout time.Duration) error {
	return p.order(ctx, "restart PostgreSQL", http.MethodPost, "/restart", map[string]any{}, timeout)
}

// Switchover hands leadership from one member to another, and returns when Patroni is done.
func (p *Patroni) Switchover(ctx context.Context, leader, candidate string, timeout time.Duration) error {
	return p.order(ctx, "switch over", http.MethodPost, "/switchover", map[string]any{"leader": leader, "candidate": candidate}, timeout)
}

// Failover makes the named member the leader, whether or not there is one to hand over.
func (p *Patroni) Failover(ctx context.Context, candidate string, timeout time.Duration) error {
	return p.order(ctx, "fail over", http.MethodPost, "/failover", map[string]any{"candidate": candidate}, timeout)
}

// Reinitialize makes a replica throw its data away and copy them anew, also when it is at such a
// copy already. It answers before that has begun.
func (p *Patroni) Reinitialize(ctx context.Context) error {
	return p.order(ctx, "copy the data anew", http.MethodPost, "/reinitialize", map[string]any{"force": true}, patroniPatience)
}

func (p *Patroni) order(ctx context.Context, doing, method, path string, body any, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := p.call(ctx, doing, method, path, body)
	return err
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*PatroniConfig)(nil)
	_                   = resource.Register(func() resource.Resource { return &PatroniConfig{} })
)

// PatroniConfig is a cluster's dynamic configuration, which its members share through the DCS.
// List it on the leader's node, and PatroniRestart after it.
type PatroniConfig struct {
	Cluster string     `json:"cluster"`
	API     PatroniAPI `json:"api"`  // of the member on this node
	Conn    Conn       `json:"conn"` // asked which parameters need a restart
	// Desired holds the keys that matter, nested as in Patroni's documentation, such as
	// {"ttl": 30, "postgresql": {"parameters": {"max_connections": 200}}}. Keys that are not in
	// it are left alone; null removes a key.
	Desired map[string]any `json:"desired"`
	// Part names this piece of the configuration where a cluster has more than one in a listing.
	Part string `json:"part,omitempty"`
	// Paused says that the cluster is to be in maintenance mode; otherwise one that somebody put
	// there stays there, and a note says so.
	Paused bool `json:"paused,omitempty"`
	// Outage says what the times among the keys come to, in a few words; shown when one changes.
	Outage string `json:"outage,omitempty"`
	// ByHand says that a person orders this, whatever the inventory says: nobody restarts for it in
	// the same run, and a note says what an apply does to it.
	ByHand bool `json:"by_hand,omitempty"`
}

func (c *PatroniConfig) Kind() string { return "patroni_config" }

func (c *PatroniConfig) Name() string {
	if c.Part == "" {
		return c.Cluster
	}
	return c.Cluster + "/" + c.Part
}

// timeKeys are those that say how soon a lost leader is replaced.
var timeKeys = []string{"ttl", "loop_wait", "retry_timeout"}

// restartMark is the name under which a change tells PatroniRestart, later in the same listing,
// that it will bring about a restart, and in which order: a plan is made before any member can
// know.
func restartMark(cluster string, lowered bool) resource.Notification {
	if lowered {
		return resource.RestartOf("patroni cluster " + cluster + ", primary first")
	}
	return resource.RestartOf("patroni cluster " + cluster)
}

// Diff compares the keys with what the DCS has.
func (c *PatroniConfig) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	current, err := c.current(ctx, h)
	if errors.Is(err, errNoPatroni) {
		fields, _ := diffConfig(c.Desired, nil)
		return &resource.Change{Action: resource.Create, Fields: fields}, nil
	}
	if err != nil {
		return nil, err
	}
	if current["pause"] == true && !c.Paused {
		h.Note("cluster %s is in maintenance mode: no replica takes over when its primary fails; pg resume ends it", c.Cluster)
	}
	fields, _ := diffConfig(c.Desired, current)
	if len(fields) == 0 {
		return nil, nil
	}
	if c.ByHand {
		h.Note("the next apply sets what the inventory says otherwise back")
	}
	change := &resource.Change{Action: resource.Update, Fields: fields, Impact: resource.Reload}
	if slices.ContainsFunc(fields, func(f resource.Field) bool { return slices.Contains(timeKeys, f.Name) }) {
		change.Effect = c.Outage
	}
	parameters := parametersIn(fields)
	restart := c.Conn.restartParameters(ctx, h, parameters)
	switch {
	case len(restart) > 0 && c.ByHand:
		change.Effect = strings.Join(restart, ", ") + " from the next restart on: pigsty pg restart " + c.Cluster + " --pending"
	case len(restart) > 0:
		lowered := onlyLowered(parameters)
		change.Impact, change.Effect = resource.Restart, restartEffect(restart, lowered)
		h.Expect(restartMark(c.Cluster, lowered))
	}
	return change, nil
}

func (c *PatroniConfig) current(ctx context.Context, h *resource.Host) (map[string]any, error) {
	client, err := c.API.Open(h)
	if err != nil {
		return nil, err
	}
	return client.Config(ctx)
}

// Apply patches the configuration. When that takes a restart, it waits until every member that
// can be reached knows, so that PatroniRestart sees who needs one.
func (c *PatroniConfig) Apply(ctx context.Context, h *resource.Host) error {
	client, err := c.API.Open(h)
	if err != nil {
		return err
	}
	current, err := client.Config(ctx)
	if err != nil {
		return err
	}
	// From here on the members themselves say whether they need a restart.
	for _, lowered := range []bool{false, true} {
		if err := h.Unmark(restartMark(c.Cluster, lowered).Unit); err != nil {
			return err
		}
	}
	fields, patch := diffConfig(c.Desired, current)
	if len(fields) == 0 {
		return nil
	}
	restart := c.Conn.restartParameters(ctx, h, parametersIn(fields))
	if err := client.PatchConfig(ctx, patch); err != nil {
		return fmt.Errorf("cluster %s: %w", c.Cluster, err)
	}
	if len(restart) == 0 {
		return nil
	}
	cluster, err := client.Cluster(ctx)
	if err != nil {
		return err
	}
	settle(ctx, h, client, cluster.Members)
	return nil
}

package resource

import (
	"context"
	"errors"
	"fmt"
)

var (
	_ Resource = (*PatroniConfig)(nil)
	_          = register(func() Resource { return &PatroniConfig{} })
)

// PatroniConfig is a cluster's dynamic configuration, which its members share through the DCS.
// List it on the leader's node, and PatroniRestart after it.
type PatroniConfig struct {
	Cluster string     `json:"cluster"`
	API     PatroniAPI `json:"api"`  // of the member on this node
	Conn    PgConn     `json:"conn"` // asked which parameters need a restart
	// Desired holds the keys that matter, nested as in Patroni's documentation, such as
	// {"ttl": 30, "postgresql": {"parameters": {"max_connections": 200}}}. Keys that are not in
	// it are left alone; null removes a key.
	Desired map[string]any `json:"desired"`
}

func (c *PatroniConfig) Kind() string { return "patroni_config" }
func (c *PatroniConfig) Name() string { return c.Cluster }

// restartMark is the name under which a change tells PatroniRestart, later in the same listing,
// that it will bring about a restart: a plan is made before any member can know.
func restartMark(cluster string) Notification {
	return RestartOf("patroni cluster " + cluster)
}

// Diff compares the keys with what the DCS has.
func (c *PatroniConfig) Diff(ctx context.Context, h *Host) (*Change, error) {
	current, err := c.current(ctx, h)
	if errors.Is(err, errNoPatroni) {
		fields, _ := diffConfig(c.Desired, nil)
		return &Change{Action: Create, Fields: fields}, nil
	}
	if err != nil {
		return nil, err
	}
	fields, _ := diffConfig(c.Desired, current)
	if len(fields) == 0 {
		return nil, nil
	}
	change := &Change{Action: Update, Fields: fields, Impact: Reload}
	parameters := parametersIn(fields)
	if restart := c.Conn.restartParameters(ctx, h, parameters); len(restart) > 0 {
		change.Impact = Restart
		change.Effect = restartEffect(restart, onlyLowered(parameters))
		h.Expect(restartMark(c.Cluster))
	}
	return change, nil
}

func (c *PatroniConfig) current(ctx context.Context, h *Host) (map[string]any, error) {
	client, err := h.Patroni(c.API)
	if err != nil {
		return nil, err
	}
	return client.Config(ctx)
}

// Apply patches the configuration, and waits until every member that can be reached has taken
// it, so that PatroniRestart sees who needs a restart.
func (c *PatroniConfig) Apply(ctx context.Context, h *Host) error {
	client, err := h.Patroni(c.API)
	if err != nil {
		return err
	}
	current, err := client.Config(ctx)
	if err != nil {
		return err
	}
	// From here on the members themselves say whether they need a restart.
	if err := h.noticeTaken(restartMark(c.Cluster).Unit); err != nil {
		return err
	}
	if _, patch := diffConfig(c.Desired, current); len(patch) > 0 {
		if err := client.PatchConfig(ctx, patch); err != nil {
			return fmt.Errorf("cluster %s: %w", c.Cluster, err)
		}
	}
	cluster, err := client.Cluster(ctx)
	if err != nil {
		return err
	}
	settle(ctx, h, client, cluster.Members)
	return nil
}

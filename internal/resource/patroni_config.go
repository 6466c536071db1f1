package resource

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

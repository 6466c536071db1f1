package etcd

import (
	"context"
	"os"

	"pigsty/internal/resource"
)

// RootFile is where members keep the password of etcd's root that is in force, readable by the
// node's root alone.
const RootFile = "/var/lib/pigsty/etcd-root"

// keptRoot is the password in RootFile; empty when there is none.
func keptRoot(h *resource.Host) string {
	// A file that cannot be read helps as little as one that is not there.
	text, _ := os.ReadFile(h.Path(RootFile))
	return string(text)
}

// loginRoot tries the password that root is to have, then the one it had.
func (c *apiClient) loginRoot(ctx context.Context) (string, error) {
	token, err := c.login(ctx, "root", c.api.Password)
	if !says(err, "authentication failed") || c.former == "" || c.former == c.api.Password {
		c.outdated = false
		return token, err
	}
	token, err = c.login(ctx, "root", c.former)
	c.outdated = err == nil
	return token, err
}

package etcd

import (
	"context"
	"os"
	"path/filepath"

	"pigsty/internal/resource"
)

// rootFile keeps the password of etcd's root on the node that looks after etcd's users,
// readable by root alone. Only with the old password can a new one be set.
const rootFile = "/var/lib/pigsty/etcd-root"

// keptRoot is the password in rootFile; empty when there is none.
func keptRoot(h *resource.Host) string {
	// A file that cannot be read helps as little as one that is not there.
	text, _ := os.ReadFile(h.Path(rootFile))
	return string(text)
}

func keepRoot(h *resource.Host, password string) error {
	path := h.Path(rootFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return h.WriteFile(rootFile, []byte(password), 0o600)
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

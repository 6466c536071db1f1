package fleet

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pigsty/internal/resource"
)

// certifying is a simulated node's executor that knows update-ca-certificates besides.
type certifying struct {
	resource.Executor
	host *resource.Host
}

// Run carries the command out on the node's files.
func (e *certifying) Run(ctx context.Context, c resource.Command) ([]byte, error) {
	if c.Argv[0] != "update-ca-certificates" {
		return e.Executor.Run(ctx, c)
	}
	const local = "/usr/local/share/ca-certificates"
	store := e.host.Path("/etc/ssl/certs")
	if err := os.MkdirAll(store, 0o755); err != nil {
		return nil, err
	}
	own, err := os.ReadDir(e.host.Path(local))
	if err != nil {
		return nil, err
	}
	var bundle []byte
	for _, entry := range own {
		text, err := os.ReadFile(filepath.Join(e.host.Path(local), entry.Name()))
		if err != nil {
			return nil, err
		}
		bundle = append(bundle, text...)
		link := filepath.Join(store, strings.TrimSuffix(entry.Name(), ".crt")+".pem")
		if err := os.Symlink(filepath.Join(local, entry.Name()), link); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return nil, os.WriteFile(filepath.Join(store, "ca-certificates.crt"), bundle, 0o644)
}

package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"pigsty/internal/sandbox"
)

// deploy makes the sandbox and puts conf/sandbox.yml on it, with the packages that Debian lacks in its
// repository.
func (o options) deploy(ctx context.Context) (*sandbox.Sandbox, error) {
	subnet, err := netip.ParsePrefix(o.subnet)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pigsty-watch-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "pigsty")
	for _, argv := range [][]string{
		{"go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./cmd/pigsty"},
		{"go", "run", "./packages/build", "-format", "deb", "-out", dir, "loki", "promtail"},
	} {
		if err := command(ctx, argv...); err != nil {
			return nil, err
		}
	}
	if err := sandbox.Down(ctx, o.name); err != nil {
		return nil, err
	}
	box, err := sandbox.Up(ctx, sandbox.Config{
		Name: o.name, Subnet: subnet, Binary: binary, Progress: func(msg string) { say("%s", msg) },
	})
	if err != nil {
		return nil, err
	}
	inventory, err := writeInventory(box, dir)
	if err != nil {
		return box, err
	}
	say("deploying")
	if err := command(ctx, binary, "repo", "build", "-i", inventory, "--yes", "--packages", dir); err != nil {
		return box, err
	}
	return box, command(ctx, binary, "apply", "-i", inventory, "--yes", "-e", "nameserver_enabled=true")
}

func command(ctx context.Context, argv ...string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out)
	}
	return nil
}

// writeInventory is conf/sandbox.yml for the sandbox's addresses and keys.
func writeInventory(box *sandbox.Sandbox, dir string) (string, error) {
	text, err := os.ReadFile("conf/sandbox.yml")
	if err != nil {
		return "", err
	}
	first := box.Nodes()[0].Addr.String()
	path := filepath.Join(dir, "sandbox.yml")
	return path, os.WriteFile(path, []byte(strings.NewReplacer(
		"10.10.10.", first[:strings.LastIndex(first, ".")+1],
		"/var/lib/pigsty/sandbox/main/id_ed25519", box.KeyPath(),
		"/var/lib/pigsty/sandbox/main/known_hosts", box.KnownHostsPath(),
	).Replace(string(text))), 0o600)
}

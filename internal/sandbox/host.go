package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// needed maps what must exist on the host to the Debian package that brings it.
var needed = []struct{ path, pkg string }{
	{"systemd-nspawn", "systemd-container"},
	{"mmdebstrap", "mmdebstrap"},
	{"iptables", "iptables"},
	{"ip", "iproute2"},
	{"ssh", "openssh-client"},
	{"unshare", "util-linux"},
	{"mkfs.ext4", "e2fsprogs"},
	{debianKeyring, "debian-archive-keyring"},
}

// EnsureHost installs the Debian packages a sandbox needs on the host and that are missing there.
// progress may be nil.
func EnsureHost(ctx context.Context, progress func(msg string)) error {
	if os.Geteuid() != 0 {
		return errors.New("a sandbox needs root: it makes cgroups, bridges and mounts; run it with sudo")
	}
	unlock, err := lockHost(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	var missing []string
	for _, n := range needed {
		_, err := exec.LookPath(n.path)
		if _, statErr := os.Stat(n.path); err != nil && statErr != nil {
			missing = append(missing, n.pkg)
		}
	}
	if len(missing) > 0 {
		c := Config{Progress: progress}
		c.say("installing on this host: %v", missing)
		if err := installOnHost(ctx, missing); err != nil {
			return fmt.Errorf("install what the sandbox needs on this host: %w", err)
		}
	}
	if _, err := os.Stat("/etc/machine-id"); errors.Is(err, os.ErrNotExist) {
		_, err := run(ctx, "systemd-machine-id-setup") // nspawn derives network addresses from it
		return err
	}
	return nil
}

// installOnHost refreshes the package lists only when the install fails without.
func installOnHost(ctx context.Context, packages []string) error {
	install := append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends"}, packages...)
	if _, err := run(ctx, install...); err == nil {
		return nil
	}
	if _, err := run(ctx, "apt-get", "update", "-q"); err != nil {
		return err
	}
	_, err := run(ctx, install...)
	return err
}

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// layerRecipe is raised when fillLayer makes something else of the same packages.
const layerRecipe = 2

// buildLayer returns the folder of an overlay layer with the wanted packages over the base image,
// made first when the cache does not have it.
func buildLayer(ctx context.Context, c *Config, base string) (string, error) {
	dir := filepath.Join(c.Cache, "layer-"+hash(layerRecipe, filepath.Base(base), c.Mode, c.Layer))
	return dir, cached(ctx, c, dir, func(temp string) error {
		return withPrivateMounts(func() error { return fillLayer(ctx, c, base, temp) })
	})
}

// fillLayer runs apt-get in the base image with dir as the writable layer over it.
func fillLayer(ctx context.Context, c *Config, base, dir string) (err error) {
	work, root := dir+".work", dir+".root"
	defer func() {
		err = errors.Join(err, unmountTree(root), os.RemoveAll(work), os.RemoveAll(root))
	}()
	if err := mountOverlay([]string{base}, dir, work, root); err != nil {
		return err
	}
	resolv, err := resolvConf()
	if err != nil {
		return err
	}
	write := func(path string, text []byte, mode fs.FileMode) error {
		path = filepath.Join(root, path)
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), writeFile(path, text, mode))
	}
	if err := write("etc/resolv.conf", resolv, 0o644); err != nil {
		return err
	}
	if err := inChroot(ctx, root, "apt-get", "update", "-q"); err != nil {
		return err
	}
	install := []string{"apt-get", "install", "-y", "-q", "--no-install-recommends", "-o", "Dpkg::Options::=--force-unsafe-io"}
	if c.Mode == LayerDownloaded {
		return inChroot(ctx, root, append(append(install, "--download-only"), c.Layer...)...)
	}
	const policy = "usr/sbin/policy-rc.d"
	err = errors.Join(
		write(policy, []byte("#!/bin/sh\nexit 101\n"), 0o755),
		write("etc/postgresql-common/createcluster.conf", []byte("create_main_cluster = false\n"), 0o644),
	)
	if err != nil {
		return err
	}
	if err := inChroot(ctx, root, append(install, c.Layer...)...); err != nil {
		return err
	}
	if err := inChroot(ctx, root, "apt-get", "clean"); err != nil {
		return err
	}
	return errors.Join(os.Remove(filepath.Join(root, policy)), disableServices(dir))
}

// disableServices takes back what the layer's packages enabled for the next boot: every link in the
// layer is theirs, the base image's own are in a layer below.
func disableServices(layer string) error {
	units := filepath.Join(layer, "etc/systemd/system")
	err := filepath.WalkDir(units, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type() != fs.ModeSymlink {
			return err
		}
		return os.Remove(path)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("disable the services of the package layer: %w", err)
	}
	return nil
}

// inChroot runs a command in a root folder; nothing it starts outlives it.
func inChroot(ctx context.Context, root string, argv ...string) error {
	return runSealed(ctx, root+"/proc", append([]string{"chroot", root}, argv...)...)
}

// resolvConf is the host's list of name servers as a node can use it: a resolver that listens on
// the host's loopback is of no use there, so systemd-resolved is asked for the servers behind it.
func resolvConf() ([]byte, error) {
	var last error
	for _, path := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		text, err := os.ReadFile(path)
		if err != nil {
			last = err
			continue
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) > 1 && f[0] == "nameserver" && !strings.HasPrefix(f[1], "127.") && f[1] != "::1" {
				return text, nil
			}
		}
		last = fmt.Errorf("%s names no server a node can reach", path)
	}
	return nil, fmt.Errorf("find a name server for the nodes: %w", last)
}

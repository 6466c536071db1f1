package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/sandbox"
)

func newSandboxUpCommand(o *sandboxOptions) *cobra.Command {
	var c sandbox.Config
	var subnet, mode, wantedBy string
	var addrs []string
	var disk size
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Make the sandbox, or start those of its nodes that are off",
		Long: `Make the sandbox and wait until every node answers on SSH. The first run installs
what it needs on this host (systemd-container, mmdebstrap, iptables) and builds a
Debian image from the host's own mirror into the cache. Of a sandbox that is up,
the nodes that are off are started; without flags it stays what it is.`,
		Example: `  pigsty sandbox up
  pigsty sandbox up --name ha --subnet 10.10.20.0/24 --nodes 3 --packages postgresql,patroni,etcd-server
  pigsty sandbox up --packages-of pigsty.yml --packages-mode downloaded   nodes that need no network to be deployed
  pigsty sandbox up --name old --subnet 10.10.30.0/24 --release bookworm --address 10.10.30.10,10.10.30.20`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Name, c.Mode, c.Progress = o.name, sandbox.LayerMode(mode), o.progress
			c.Disk = int64(disk)
			if subnet != "" {
				prefix, err := netip.ParsePrefix(subnet)
				if err != nil {
					return fmt.Errorf("--subnet: %w", err)
				}
				c.Subnet = prefix
			}
			for _, text := range addrs {
				addr, err := netip.ParseAddr(text)
				if err != nil {
					return fmt.Errorf("--address: %w", err)
				}
				c.Addrs = append(c.Addrs, addr)
			}
			// The disks of a sandbox that is there stay what they are, also when the inventory has changed.
			if _, err := sandbox.Open(c.Name); wantedBy != "" && errors.Is(err, sandbox.ErrNotFound) {
				wanted, err := controller.WantedPackages(wantedBy, cmp.Or(c.Release, sandbox.DefaultRelease), o.extra)
				if err != nil {
					return fmt.Errorf("--packages-of: %w", err)
				}
				c.Layer = append(c.Layer, wanted...)
			}
			began := time.Now()
			s, err := sandbox.Up(cmd.Context(), c)
			if err != nil {
				return err
			}
			o.progress(fmt.Sprintf("sandbox %s: %d nodes in %.1f s; ssh -F %s %s",
				s.Name(), len(s.Nodes()), time.Since(began).Seconds(), s.SSHConfigPath(), s.Nodes()[0].Name))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&subnet, "subnet", "", "`network` of the nodes (default 10.10.10.0/24); the host has its first address")
	f.IntVar(&c.Count, "nodes", 0, "how many nodes (default 4): meta at .10, node-1 at .11 and so on")
	f.StringSliceVar(&addrs, "address", nil, "explicit node `addresses`, meta's first")
	f.StringVar(&c.Release, "release", "", "Debian release: trixie (default) or bookworm")
	f.StringSliceVar(&c.Layer, "packages", nil, "Debian `packages` every node has, prepared once in the cache")
	f.StringVar(&wantedBy, "packages-of", "", "also the packages that the nodes of this inventory `file` install; for a sandbox that is made anew")
	f.StringVar(&mode, "packages-mode", "", "installed (default), or downloaded: only in apt's cache")
	f.Var(&disk, "disk", "give each node a disk of its own at /data, of this `size`, such as 2G (default: the host's disk)")
	f.BoolVar(&c.Docker, "docker", false, "let Docker run inside the nodes")
	f.StringVar(&c.Cache, "cache", "", "`folder` of images (default /var/cache/pigsty/sandbox)")
	return cmd
}

func newSandboxDownCommand(o *sandboxOptions) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Remove the sandbox with its nodes and their disks",
		Long: `End the nodes at once and remove their disks and all the sandbox made on this
host. Also clears up what a crash left. The cache of images stays.`,
		Example: `  pigsty sandbox down
  pigsty sandbox down --all`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if all {
				return sandbox.DownAll(cmd.Context())
			}
			return sandbox.Down(cmd.Context(), o.name)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every sandbox of this host")
	return cmd
}

func newSandboxSuperviseCommand(o *sandboxOptions) *cobra.Command {
	return &cobra.Command{
		Use:    "supervise NODE",
		Short:  "Run one node until it is powered off (started by up, not by hand)",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return sandbox.Supervise(cmd.Context(), o.name, args[0], o.out)
		},
	}
}

package sandbox

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// DefaultRelease is the code name of the Debian release that nodes have when nobody says otherwise.
const DefaultRelease = "trixie"

// LayerMode says what the package layer holds.
type LayerMode string

const (
	// LayerInstalled installs the packages; none of their services is enabled or started.
	LayerInstalled LayerMode = "installed"
	// LayerDownloaded only puts the packages and the archive's index into apt's cache, so that a
	// node installs them without the network.
	LayerDownloaded LayerMode = "downloaded"
)

// Config says what a sandbox is made of. A zero field means its default, or, when the sandbox
// exists already, what it was made with.
type Config struct {
	Name   string       `json:"name"`   // default main; small letters, digits and hyphens
	Subnet netip.Prefix `json:"subnet"` // default 10.10.10.0/24; the host has the first address
	Count  int          `json:"-"`      // how many nodes, default 4: .10 meta, .11 node-1, .12 node-2 …
	Addrs  []netip.Addr `json:"-"`      // explicit addresses, one node each, instead of Count

	Release string    `json:"release"`              // Debian release: trixie (default) or bookworm
	Layer   []string  `json:"layer,omitempty"`      // Debian packages every node finds on its disk
	Mode    LayerMode `json:"layer_mode,omitempty"` // default LayerInstalled
	// Disk is the size in bytes of a disk of its own (ext4) that each node has at /data; 0 = none,
	// and /data lies with everything else on the host's disk.
	Disk   int64 `json:"disk,omitempty"`
	Docker bool  `json:"docker,omitempty"` // allow the system calls and the disk Docker needs

	Cache  string `json:"cache"`  // images, shared by all sandboxes; default /var/cache/pigsty/sandbox
	Binary string `json:"binary"` // the pigsty executable that supervises nodes; default: the running one

	Nodes    []Node           `json:"nodes"` // filled in from Count or Addrs
	Progress func(msg string) `json:"-"`     // told what is going on, one line at a time; may be nil
}

// minDisk is what a file system and a small database cluster take up.
const minDisk = 256 << 20

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

func (c *Config) setDefaults() error {
	setDefault(&c.Name, "main")
	setDefault(&c.Subnet, netip.MustParsePrefix("10.10.10.0/24"))
	setDefault(&c.Release, DefaultRelease)
	setDefault(&c.Mode, LayerInstalled)
	setDefault(&c.Cache, "/var/cache/pigsty/sandbox")
	c.Subnet = c.Subnet.Masked()
	slices.Sort(c.Layer)
	c.Layer = slices.Compact(c.Layer)
	if c.Binary == "" {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find the running executable: %w; set Config.Binary", err)
		}
		c.Binary = self
	}
	var err error
	if c.Binary, err = filepath.Abs(c.Binary); err != nil {
		return fmt.Errorf("find %s: %w", c.Binary, err)
	}
	if len(c.Nodes) == 0 {
		c.Nodes = c.layout()
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// layout names the nodes: the first is meta, the others node-1, node-2 and so on.
func (c *Config) layout() []Node {
	addrs := c.Addrs
	if len(addrs) == 0 {
		setDefault(&c.Count, 4)
		addr := c.Subnet.Addr()
		for range 10 {
			addr = addr.Next()
		}
		for range c.Count {
			addrs = append(addrs, addr)
			addr = addr.Next()
		}
	}
	var nodes []Node
	for i, addr := range addrs {
		name := "meta"
		if i > 0 {
			name = fmt.Sprintf("node-%d", i)
		}
		nodes = append(nodes, Node{Name: name, Addr: addr})
	}
	return nodes
}

// gateway is the host's address on the bridge.
func (c *Config) gateway() netip.Addr { return c.Subnet.Addr().Next() }

// validate reports everything that is wrong at once.
func (c *Config) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !namePattern.MatchString(c.Name) {
		bad("sandbox name %q: use up to 31 small letters, digits and hyphens, a letter first", c.Name)
	}
	if !c.Subnet.Addr().Is4() || c.Subnet.Bits() > 28 {
		bad("subnet %s: an IPv4 network of /28 or larger is needed", c.Subnet)
	}
	seen := map[netip.Addr]bool{c.gateway(): true, c.Subnet.Addr(): true}
	for _, n := range c.Nodes {
		switch {
		case !c.Subnet.Contains(n.Addr):
			bad("address %s of %s is outside the subnet %s", n.Addr, n.Name, c.Subnet)
		case seen[n.Addr]:
			bad("address %s of %s is taken by another node or by the host", n.Addr, n.Name)
		}
		seen[n.Addr] = true
	}
	if len(c.Nodes) > 100 {
		bad("%d nodes: a sandbox has at most 100", len(c.Nodes))
	}
	if c.Release != "trixie" && c.Release != "bookworm" {
		bad("release %q: only trixie (Debian 13) and bookworm (Debian 12) are known to work", c.Release)
	}
	if c.Mode != LayerInstalled && c.Mode != LayerDownloaded {
		bad("layer mode %q: use %s or %s", c.Mode, LayerInstalled, LayerDownloaded)
	}
	if c.Disk != 0 && c.Disk < minDisk {
		bad("disk of %d bytes: at least %d MiB are needed", c.Disk, minDisk>>20)
	}
	if strings.ContainsAny(c.Cache, ":,\\ ") || !filepath.IsAbs(c.Cache) {
		bad("cache folder %q: an absolute path without blanks, commas and colons is needed", c.Cache)
	}
	if _, err := os.Stat(c.Binary); err != nil {
		bad("the pigsty executable that watches over the nodes: %w; build it first", err)
	}
	return errors.Join(errs...)
}

// over fills zero fields from an existing sandbox and refuses what would make it another one.
func (c Config) over(old Config) (Config, error) {
	var errs []error
	differs := func(what string, differ bool, have any) {
		if differ {
			errs = append(errs, fmt.Errorf("sandbox %s exists with %s %v; take it down first: pigsty sandbox down --name %s",
				old.Name, what, have, old.Name))
		}
	}
	differs("subnet", c.Subnet.IsValid() && c.Subnet.Masked() != old.Subnet, old.Subnet)
	differs("release", c.Release != "" && c.Release != old.Release, old.Release)
	differs("package layer", len(c.Layer) > 0 && !sameSet(c.Layer, old.Layer), old.Layer)
	differs("layer mode", c.Mode != "" && c.Mode != old.Mode, old.Mode)
	differs("disk size", c.Disk > 0 && c.Disk != old.Disk, old.Disk)
	differs("Docker support", c.Docker && !old.Docker, "off")
	differs("node count", c.Count > 0 && c.Count != len(old.Nodes), len(old.Nodes))
	if len(c.Addrs) > 0 {
		c.Subnet = old.Subnet
		differs("nodes", !slices.Equal(c.layout(), old.Nodes), old.Nodes)
	}
	old.Progress = c.Progress
	if c.Binary != "" {
		old.Binary = c.Binary
	}
	return old, errors.Join(errs...)
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

func (c *Config) say(format string, args ...any) {
	if c.Progress != nil {
		c.Progress(fmt.Sprintf(format, args...))
	}
}

func joinNames(nodes []Node) string {
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = n.Name
	}
	return strings.Join(names, ", ")
}

// Package simulate stands in for a node where there is none: in unit tests, and in measurements
// of a thousand nodes on one machine. A simulated node is a folder that holds the node's files;
// its systemd, dpkg, accounts and kernel are imitated just as far as resource kinds look at
// them. What is compiled, sent, compared and written is real; what real programs would do with
// it is not: no package is unpacked, no service runs, every port answers. Only runs on real
// systems tell whether a deployment works.
package simulate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"

	"pigsty/internal/resource"
)

// NewHost is the node whose files lie below root. A root that is empty is first furnished as a
// fresh Debian 13 in a container. All state is in the folder: a second host on the same root
// sees what the first did.
//
// The host's Systemd is a *Systemd and its Exec an *Executor, for tests that want to see what
// was asked of them or make it fail.
func NewHost(root string) *resource.Host {
	n := node(root)
	furnishing := n.furnish()
	return &resource.Host{
		Root:      root,
		Systemd:   &Systemd{node: n, broken: furnishing},
		Exec:      &Executor{node: n, broken: furnishing},
		Container: true,
		Dial:      answer,
	}
}

// Rename gives the node a name and its addresses ("eth0 10.10.10.11/24"), for facts.
func Rename(root, name string, addresses ...string) error {
	n := node(root)
	if err := n.write("/etc/hostname", name+"\n"); err != nil {
		return err
	}
	if err := n.write("/proc/sys/kernel/hostname", name+"\n"); err != nil {
		return err
	}
	return n.write("/run/addresses", join(addresses))
}

// answer is a port that accepts every connection.
func answer(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	return near, far.Close()
}

// node is a simulated node's file tree.
type node string

func (n node) path(path string) string { return filepath.Join(string(n), path) }

func (n node) exists(path string) bool {
	_, err := os.Lstat(n.path(path))
	return err == nil
}

func (n node) read(path string) (string, error) {
	data, err := os.ReadFile(n.path(path))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(data), err
}

func (n node) write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(n.path(path)), 0o755); err != nil {
		return err
	}
	return os.WriteFile(n.path(path), []byte(text), 0o644)
}

// remove removes a file that may not be there.
func (n node) remove(path string) error {
	if err := os.Remove(n.path(path)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// link makes a link, unless it is there.
func (n node) link(path, target string) error {
	if err := os.MkdirAll(filepath.Dir(n.path(path)), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(target, n.path(path)); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// furnished are the files of a fresh node.
var furnished = map[string]string{
	"/etc/os-release": "ID=debian\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\n",
	"/etc/hostname":   "simulated\n",
	"/etc/hosts":      "127.0.0.1 localhost\n",
	"/etc/passwd":     "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
	"/etc/group":      "root:x:0:\nsudo:x:27:\nnogroup:x:65534:\n",
	"/etc/fstab":      "",
	"/etc/crontab":    "SHELL=/bin/sh\n",

	"/proc/cpuinfo":              "processor\t: 0\n\nprocessor\t: 1\n",
	"/proc/meminfo":              "MemTotal:        8388608 kB\n",
	"/proc/modules":              "",
	"/proc/swaps":                "Filename\tType\tSize\tUsed\tPriority\n",
	"/proc/sys/kernel/hostname":  "simulated\n",
	"/proc/sys/kernel/osrelease": "6.12.0-simulated\n",

	"/run/systemd/container": "simulated\n",

	"/usr/share/zoneinfo/Etc/UTC":          "TZif2",
	"/usr/share/zoneinfo/UTC":              "TZif2",
	"/usr/share/zoneinfo/Asia/Shanghai":    "TZif2",
	"/usr/share/zoneinfo/Asia/Hong_Kong":   "TZif2",
	"/usr/share/zoneinfo/Europe/Berlin":    "TZif2",
	"/usr/share/zoneinfo/America/New_York": "TZif2",
}

// installed are the packages of a fresh node.
var installed = []string{"ca-certificates", "cron", "curl", "dbus", "iproute2", "openssh-server", "procps", "sudo", "systemd", "tzdata"}

// furnish makes a fresh node of a folder that is none yet.
func (n node) furnish() error {
	if n.exists("/etc/os-release") {
		return nil
	}
	for _, name := range installed {
		if err := n.install(name); err != nil {
			return fmt.Errorf("furnish simulated node %s: %w", n, err)
		}
	}
	// The file that says the work is done comes last.
	for _, path := range slices.Backward(slices.Sorted(maps.Keys(furnished))) {
		if path == "/etc/os-release" {
			continue
		}
		if err := n.write(path, furnished[path]); err != nil {
			return fmt.Errorf("furnish simulated node %s: %w", n, err)
		}
	}
	return n.write("/etc/os-release", furnished["/etc/os-release"])
}

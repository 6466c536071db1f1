// Package sandbox makes real nodes on one Linux host: systemd-nspawn containers that boot Debian
// with systemd and sshd on a private bridge and are reached over SSH like any other machine.
// Deployments, drills and end-to-end tests run on them; nothing in the product knows that they are
// not hardware. The package owns the cgroup, bridge, virtual cable, overlay disk, addresses and
// restart loop of every node, and can break each of them on purpose. It needs root.
package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Where a sandbox keeps what it owns. The cache of images is elsewhere: see Config.Cache.
const (
	stateRoot = "/var/lib/pigsty/sandbox" // one folder per sandbox: its description, keys and disks
	runRoot   = "/run/pigsty/sandbox"     // locks and SSH control sockets
)

// ErrNotFound is returned by Open for a sandbox that does not exist.
var ErrNotFound = errors.New("no such sandbox")

// Node is one machine of a sandbox.
type Node struct {
	Name string     `json:"name"` // also its host name: meta, node-1, node-2 …
	Addr netip.Addr `json:"addr"` // static address inside the sandbox's subnet
}

// Sandbox is a set of nodes on one bridge. Its methods may be called from several goroutines and
// several processes at once.
type Sandbox struct {
	cfg   Config
	lower []string // read-only overlay layers, uppermost first
}

// description is the form of sandbox.json.
type description struct {
	Config
	Lower []string `json:"lower"`
}

// Open returns the sandbox of that name, running or not; ErrNotFound when there is none.
func Open(name string) (*Sandbox, error) {
	path := (&Sandbox{cfg: Config{Name: name}}).descriptionPath()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %q (pigsty sandbox up --name %s makes it)", ErrNotFound, name, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read the description of sandbox %s: %w", name, err)
	}
	var d description
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; pigsty sandbox down --name %s clears what is left", path, err, name)
	}
	return &Sandbox{cfg: d.Config, lower: d.Lower}, nil
}

// List returns the names of all sandboxes of this host, also of those that are only half there
// after a crash.
func List() ([]string, error) {
	var names []string
	for _, dir := range []string{stateRoot, string(sandboxGroup(""))} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("list sandboxes: %w", err)
		}
		for _, e := range entries {
			if e.IsDir() {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Name returns the sandbox's name.
func (s *Sandbox) Name() string { return s.cfg.Name }

// Config returns what the sandbox was made from, defaults filled in.
func (s *Sandbox) Config() Config { return s.cfg }

// Nodes returns the nodes in order, meta first.
func (s *Sandbox) Nodes() []Node { return slices.Clone(s.cfg.Nodes) }

// SSHConfigPath is a file for ssh -F in which every node is known by name and by address.
func (s *Sandbox) SSHConfigPath() string { return filepath.Join(s.dir(), "ssh_config") }

// KeyPath is the private key that root and debian accept on every node.
func (s *Sandbox) KeyPath() string { return filepath.Join(s.dir(), "id_ed25519") }

// KnownHostsPath holds the nodes' host keys, by name and by address, for strict checking.
func (s *Sandbox) KnownHostsPath() string { return filepath.Join(s.dir(), "known_hosts") }

func (s *Sandbox) dir() string { return filepath.Join(stateRoot, s.cfg.Name) }

func (s *Sandbox) descriptionPath() string { return filepath.Join(s.dir(), "sandbox.json") }

func (s *Sandbox) save() error {
	text, err := json.MarshalIndent(description{s.cfg, s.lower}, "", "  ")
	if err != nil {
		return fmt.Errorf("describe sandbox %s: %w", s.cfg.Name, err)
	}
	return writeFile(s.descriptionPath(), append(text, '\n'), 0o644)
}

// machine returns the node of that name together with the places of everything it is made of.
func (s *Sandbox) machine(node string) (*machine, error) {
	for _, n := range s.cfg.Nodes {
		if n.Name == node {
			return newMachine(s, n), nil
		}
	}
	return nil, fmt.Errorf("sandbox %s has no node %q; it has %s", s.cfg.Name, node, joinNames(s.cfg.Nodes))
}

// machines returns the named nodes, or all of them when no name is given.
func (s *Sandbox) machines(nodes []string) ([]*machine, error) {
	if len(nodes) == 0 {
		for _, n := range s.cfg.Nodes {
			nodes = append(nodes, n.Name)
		}
	}
	var all []*machine
	for _, name := range nodes {
		m, err := s.machine(name)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// each runs do for all machines at the same time and returns every error.
func each(machines []*machine, do func(*machine) error) error {
	errs := make([]error, len(machines))
	var wg sync.WaitGroup
	for i, m := range machines {
		wg.Go(func() { errs[i] = do(m) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// writeFile replaces a file as a whole, so that a reader never sees half of it.
func writeFile(path string, text []byte, mode fs.FileMode) error {
	temp := path + ".new"
	if err := os.WriteFile(temp, text, mode); err != nil {
		return err
	}
	if err := os.Chmod(temp, mode); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

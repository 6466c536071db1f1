package sandbox

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// ensureKey makes an SSH key pair at path and path.pub unless it is there.
func ensureKey(path, comment string) error {
	if exists(path) && exists(path+".pub") {
		return nil
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make SSH key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return fmt.Errorf("make SSH key: %w", err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return fmt.Errorf("make SSH key: %w", err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " " + comment + "\n"
	return errors.Join(
		writeFile(path, pem.EncodeToMemory(block), 0o600),
		writeFile(path+".pub", []byte(line), 0o644),
	)
}

// writeKeys makes the sandbox's key and every node's host key, and from them known_hosts and
// ssh_config. A node keeps its host key for the life of the sandbox, also over a reset.
func (s *Sandbox) writeKeys() error {
	if err := ensureKey(s.KeyPath(), "pigsty-sandbox-"+s.cfg.Name); err != nil {
		return err
	}
	var known, config strings.Builder
	for _, n := range s.cfg.Nodes {
		m := newMachine(s, n)
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return err
		}
		if err := ensureKey(m.hostKey(), "root@"+n.Name); err != nil {
			return err
		}
		public, err := os.ReadFile(m.hostKey() + ".pub")
		if err != nil {
			return err
		}
		fmt.Fprintf(&known, "%s,%s %s", n.Name, n.Addr, public)
		fmt.Fprintf(&config, "Host %s %s\n    HostName %s\n", n.Name, n.Addr, n.Addr)
	}
	fmt.Fprintf(&config, sshClientConfig, s.KeyPath(), s.KnownHostsPath())
	return errors.Join(
		writeFile(s.KnownHostsPath(), []byte(known.String()), 0o644),
		writeFile(s.SSHConfigPath(), []byte(config.String()), 0o644),
	)
}

const sshClientConfig = `Host *
    User root
    IdentityFile %s
    IdentitiesOnly yes
    UserKnownHostsFile %s
    GlobalKnownHostsFile none
    StrictHostKeyChecking yes
    BatchMode yes
    ConnectTimeout 5
    ServerAliveInterval 5
    ServerAliveCountMax 3
    LogLevel ERROR
`

// seed is a file or, with an empty text, a folder that makes a node itself.
type seed struct {
	path, text string
	mode       fs.FileMode
	uid        int
}

// seeds are the first contents of a node's own disk, parents before children.
func (m *machine) seeds() ([]seed, error) {
	resolv, err := resolvConf()
	if err != nil {
		return nil, err
	}
	hostKey, err := os.ReadFile(m.hostKey())
	if err != nil {
		return nil, err
	}
	hostPublic, err := os.ReadFile(m.hostKey() + ".pub")
	if err != nil {
		return nil, err
	}
	authorized, err := os.ReadFile(m.box.KeyPath() + ".pub")
	if err != nil {
		return nil, err
	}
	return []seed{
		{"", "", 0o755, 0},
		{"etc", "", 0o755, 0},
		{"etc/hostname", m.Name + "\n", 0o644, 0},
		{"etc/hosts", fmt.Sprintf("127.0.0.1 localhost\n%s %s\n", m.Addr, m.Name), 0o644, 0},
		{"etc/machine-id", m.machineID(string(authorized)) + "\n", 0o444, 0},
		{"etc/resolv.conf", string(resolv), 0o644, 0},
		{"etc/ssh", "", 0o755, 0},
		{"etc/ssh/ssh_host_ed25519_key", string(hostKey), 0o600, 0},
		{"etc/ssh/ssh_host_ed25519_key.pub", string(hostPublic), 0o644, 0},
		{"etc/systemd", "", 0o755, 0},
		{"etc/systemd/network", "", 0o755, 0},
		{"etc/systemd/network/10-host0.network", fmt.Sprintf(networkFile,
			m.Addr, m.box.cfg.Subnet.Bits(), m.box.cfg.gateway()), 0o644, 0},
		{"root", "", 0o700, 0},
		{"root/.ssh", "", 0o700, 0},
		{"root/.ssh/authorized_keys", string(authorized), 0o600, 0},
		{"home", "", 0o755, 0},
		{"home/debian", "", 0o700, 1000},
		{"home/debian/.ssh", "", 0o700, 1000},
		{"home/debian/.ssh/authorized_keys", string(authorized), 0o600, 1000},
	}, nil
}

// A server keeps its addresses when its cable is pulled; networkd would drop them.
const networkFile = `[Match]
Name=host0

[Network]
Address=%s/%d
Gateway=%s
LinkLocalAddressing=no
IPv6AcceptRA=no
ConfigureWithoutCarrier=yes
IgnoreCarrierLoss=yes
`

// machineID is unique to this node of this sandbox and survives a reset.
func (m *machine) machineID(key string) string {
	return hash(key, m.Name, 1) + hash(key, m.Name, 2) + hash(key, m.Name, 3)[:8]
}

// seedDisk makes a node's own disk with nothing but its identity on it. The disk appears complete
// or not at all.
func (m *machine) seedDisk() error {
	seeds, err := m.seeds()
	if err != nil {
		return fmt.Errorf("make the disk of %s: %w", m.Name, err)
	}
	temp := m.upper() + ".new"
	if err := os.RemoveAll(temp); err != nil {
		return err
	}
	for _, s := range seeds {
		path := filepath.Join(temp, s.path)
		if s.text == "" {
			err = os.Mkdir(path, s.mode)
		} else {
			err = os.WriteFile(path, []byte(s.text), s.mode)
		}
		err = errors.Join(err, os.Chmod(path, s.mode), os.Chown(path, s.uid, s.uid))
		if err != nil {
			return fmt.Errorf("make the disk of %s: %w", m.Name, err)
		}
	}
	return os.Rename(temp, m.upper())
}

package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// machine is a node together with the places of everything it is made of on the host.
type machine struct {
	Node
	box *Sandbox
	id  string // name for nspawn and, with vb- before it, of the network device: unique on the host
	dir string
}

func newMachine(s *Sandbox, n Node) *machine {
	id := s.cfg.Name + "-" + n.Name
	if len(id) > 12 { // a network device has 15 characters
		id = fmt.Sprintf("%.*s-%s", 11-len(n.Name), "p"+hash(s.cfg.Name), n.Name)
	}
	return &machine{Node: n, box: s, id: id, dir: filepath.Join(s.dir(), n.Name)}
}

func (m *machine) root() string    { return filepath.Join(m.dir, "root") }
func (m *machine) upper() string   { return filepath.Join(m.dir, "upper") }
func (m *machine) work() string    { return filepath.Join(m.dir, "work") }
func (m *machine) docker() string  { return filepath.Join(m.dir, "docker") }
func (m *machine) hostKey() string { return filepath.Join(m.dir, "ssh_host_ed25519_key") }
func (m *machine) console() string { return filepath.Join(m.dir, "console.log") }
func (m *machine) log() string     { return filepath.Join(m.dir, "supervisor.log") }
func (m *machine) link() string    { return "vb-" + m.id }

func (m *machine) group() group      { return sandboxGroup(m.box.cfg.Name).sub(m.Name) }
func (m *machine) nodeGroup() group  { return m.group().sub("machine") }
func (m *machine) superGroup() group { return m.group().sub("supervisor") }

func (m *machine) control() string { return filepath.Join(runRoot, m.box.cfg.Name, m.Name+".ssh") }

// lock keeps two starts, kills or resets of the same node apart, and all of them from a down.
func (m *machine) lock(ctx context.Context) (func(), error) {
	box, err := lockSandbox(ctx, m.box.cfg.Name, unix.LOCK_SH)
	if err != nil {
		return nil, err
	}
	if !exists(m.box.dir()) {
		box()
		return nil, fmt.Errorf("%w: %q was taken down", ErrNotFound, m.box.cfg.Name)
	}
	node, err := lock(ctx, filepath.Join(runRoot, m.box.cfg.Name, m.Name+".lock"), unix.LOCK_EX)
	if err != nil {
		box()
		return nil, err
	}
	return func() { node(); box() }, nil
}

// record is what a supervisor writes down about its node.
type record struct {
	PID     int       `json:"pid"`     // of the supervisor
	Boots   int       `json:"boots"`   // since the last start, 1 when it was not rebooted
	Started time.Time `json:"started"` // of the current boot
}

func (m *machine) recordPath() string { return filepath.Join(m.dir, "supervisor.json") }

func (m *machine) record() record {
	var r record
	if text, err := os.ReadFile(m.recordPath()); err == nil {
		_ = json.Unmarshal(text, &r) // the file is replaced as a whole
	}
	return r
}

func (m *machine) running() bool { return m.group().populated() }

// start launches the node's supervisor, detached, and waits until the node answers on SSH. The
// caller holds a lock.
func (m *machine) start(ctx context.Context) error {
	if err := m.release(ctx); err != nil {
		return fmt.Errorf("start %s: clear what its last run left: %w", m.Name, err)
	}
	if !exists(m.upper()) {
		if err := m.seedDisk(); err != nil {
			return err
		}
	}
	if m.box.cfg.Disk > 0 && !exists(m.disk()) {
		if err := m.formatDisk(ctx); err != nil {
			return err
		}
	}
	if m.box.cfg.Docker {
		if err := os.MkdirAll(m.docker(), 0o755); err != nil {
			return err
		}
	}
	exited, err := m.launch()
	if err != nil {
		return fmt.Errorf("start the supervisor of %s: %w", m.Name, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-exited:
			cancel(errors.New("it ended while booting"))
		case <-ctx.Done():
		}
	}()
	if err := m.waitSSH(ctx); err != nil {
		return fmt.Errorf("node %s of sandbox %s does not answer on %s port 22: %w\n%s\n%s\npigsty sandbox logs --name %s %s shows more",
			m.Name, m.box.cfg.Name, m.Addr, err, tailFile(m.log(), 5), tailFile(m.console(), 10), m.box.cfg.Name, m.Name)
	}
	return nil
}

// launch starts the supervisor in a session and cgroup of its own, so that it outlives the process
// and the login it was started from. The channel is closed if it ends while we are there to see.
func (m *machine) launch() (<-chan struct{}, error) {
	log, err := os.Create(m.log())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	dir, err := m.superGroup().open()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	cmd := exec.Command(m.box.cfg.Binary, "sandbox", "supervise", "--name", m.box.cfg.Name, m.Name)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its own log says why it ended
		close(exited)
	}()
	return exited, nil
}

// bootLimit is generous: a node boots in about a second, on a busy host in ten.
const bootLimit = 2 * time.Minute

// waitSSH returns when sshd greets. The host would repeat a lost packet or address query after a
// whole second only, so each attempt is short and starts anew.
func (m *machine) waitSSH(ctx context.Context) error {
	return poll(ctx, bootLimit, 20*time.Millisecond, func() bool {
		forgetNeighbour(m.box.cfg.Name, m.Addr)
		return m.greets(ctx, 150*time.Millisecond)
	})
}

// greets reports whether sshd answers; it must accept within the limit and may then take longer.
func (m *machine) greets(ctx context.Context, limit time.Duration) bool {
	dialer := net.Dialer{Timeout: limit}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(m.Addr.String(), "22"))
	if err != nil {
		return false
	}
	defer conn.Close()
	if conn.SetReadDeadline(time.Now().Add(5*time.Second)) != nil {
		return false
	}
	banner := make([]byte, 4)
	_, err = io.ReadFull(conn, banner)
	return err == nil && string(banner) == "SSH-"
}

// powerCut stops the node as a power failure does: first the cable, so that its last packets do
// not tell the others, then every process at once, its supervisor included.
func (m *machine) powerCut(ctx context.Context) error {
	_ = setLink(m.link(), false) // a node that is off has no cable
	return m.group().kill(ctx)
}

// release removes everything a run of the node leaves on the host except its disk. What still
// runs of the node is ended.
func (m *machine) release(ctx context.Context) error {
	if err := m.nodeGroup().kill(ctx); err != nil {
		return err
	}
	lockFile := inodeLock(m.root())
	errs := []error{m.nodeGroup().remove(), deleteLink(m.link())}
	for _, dir := range []string{"propagate", "unix-export"} {
		path := filepath.Join("/run/systemd/nspawn", dir, m.id)
		errs = append(errs, unmountTree(path), removeFile(path))
	}
	errs = append(errs, unmountTree(m.root()), removeFile(lockFile), removeFile(filepath.Join(m.dir, ".#root.lck")))
	if !m.superGroup().populated() { // the supervisor itself calls this as well
		errs = append(errs, m.group().remove())
	}
	return errors.Join(errs...)
}

// inodeLock is the file nspawn locks for a root folder; it stays when nspawn is killed.
func inodeLock(root string) string {
	var st unix.Stat_t
	if unix.Stat(root, &st) != nil {
		return ""
	}
	return fmt.Sprintf("/run/systemd/nspawn/locks/inode-%d:%d", st.Dev, st.Ino)
}

func removeFile(path string) error {
	if path == "" {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

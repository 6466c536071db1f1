package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// restartStatus is how systemd-nspawn ends when the system inside asked for a reboot.
const restartStatus = 133

// Supervise runs one node until it is powered off: it mounts the disk, boots the node, boots it
// again after every reboot, and clears up. It is the body of a process of its own, started by Up
// and Start. When ctx ends, the node is shut down in good order. log gets one line for each event.
func Supervise(ctx context.Context, name, node string, log io.Writer) error {
	s, err := Open(name)
	if err != nil {
		return err
	}
	m, err := s.machine(node)
	if err != nil {
		return err
	}
	say := func(format string, args ...any) {
		fmt.Fprintf(log, time.Now().Format("2006-01-02T15:04:05.000 ")+format+"\n", args...)
	}
	console, err := os.Create(m.console())
	if err != nil {
		return fmt.Errorf("open the console of %s: %w", node, err)
	}
	defer console.Close()
	if err := mountOverlay(s.lower, m.upper(), m.work(), m.root()); err != nil {
		return err
	}
	if s.cfg.Disk > 0 {
		if err := m.mountDisk(); err != nil {
			return errors.Join(err, m.release(context.WithoutCancel(ctx)))
		}
	}
	status := restartStatus
	for boots := 1; status == restartStatus && ctx.Err() == nil; boots++ {
		say("boot %d of %s as %s", boots, node, m.id)
		if err = m.writeRecord(boots); err != nil {
			break
		}
		if status, err = m.boot(ctx, console); err != nil {
			break
		}
		say("nspawn ended with status %d", status)
		if err = m.unplug(); err != nil {
			break
		}
	}
	if err == nil && status != 0 && status != restartStatus {
		err = fmt.Errorf("node %s failed: nspawn ended with status %d, see %s", node, status, m.console())
	}
	err = errors.Join(err, m.release(context.WithoutCancel(ctx)))
	say("%s is off", node)
	return err
}

func (m *machine) writeRecord(boots int) error {
	text, err := json.Marshal(record{PID: os.Getpid(), Boots: boots, Started: time.Now()})
	if err != nil {
		return err
	}
	return writeFile(m.recordPath(), text, 0o644)
}

// boot runs the node once and returns nspawn's exit status.
func (m *machine) boot(ctx context.Context, console io.Writer) (int, error) {
	dir, err := m.nodeGroup().open()
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	argv := m.nspawn()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1", "TERM=dumb") // no colours in a log
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", console, console
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // an orderly power-off
	cmd.WaitDelay = time.Minute
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) || (err != nil && ctx.Err() != nil) {
		return cmd.ProcessState.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("run systemd-nspawn: %w", err)
	}
	return 0, nil
}

// nspawn is the command line that boots the node.
func (m *machine) nspawn() []string {
	argv := []string{
		"systemd-nspawn", "--quiet", "--boot", "--directory=" + m.root(),
		"--machine=" + m.id, "--hostname=" + m.Name, "--network-bridge=" + bridgeName(m.box.cfg.Name),
		"--register=no", "--keep-unit", // there need be no systemd on the host
		"--resolv-conf=off", "--timezone=off", "--link-journal=no", // a node owns its files
	}
	if m.box.cfg.Docker {
		argv = append(argv,
			"--system-call-filter=add_key", "--system-call-filter=keyctl", "--system-call-filter=bpf",
			// An overlay cannot be the upper layer of another one.
			"--bind="+m.docker()+":/var/lib/docker")
	}
	return argv
}

// unplug ends what a boot left running and waits for its network device to go: the next boot makes
// one of the same name.
func (m *machine) unplug() error {
	ctx := context.Background()
	if err := m.nodeGroup().kill(ctx); err != nil {
		return err
	}
	if err := m.nodeGroup().remove(); err != nil {
		return err
	}
	return deleteLink(m.link())
}

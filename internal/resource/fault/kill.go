package fault

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Kill)(nil)
	_                   = resource.Register(func() resource.Resource { return &Kill{} })
)

// Kill ends the leader's PostgreSQL or Patroni by SIGKILL. It is an order and no state. List it on
// the leader's node.
type Kill struct {
	Leader
	Fault string `json:"fault"` // KillPostgres or KillPatroni
	Data  string `json:"data"`  // PostgreSQL's data directory
	Unit  string `json:"unit"`  // Patroni's
}

func (k *Kill) Kind() string { return "fault_kill" }
func (k *Kill) Name() string { return k.Fault }

// Diff tells who dies.
func (k *Kill) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	s, err := k.standing(ctx, h)
	if err != nil {
		return nil, err
	}
	if k.Fault == KillPatroni {
		c := &resource.Change{Action: resource.Run, Effect: "systemd starts Patroni again; PostgreSQL runs on meanwhile"}
		c.Add("Patroni of "+k.Instance, "runs", "killed")
		return c, nil
	}
	pid, err := k.postmaster(h)
	if err != nil {
		return nil, err
	}
	c := k.lost(s, "PostgreSQL recovers, or a replica takes over when that takes too long")
	c.Add("PostgreSQL of "+k.Instance, fmt.Sprintf("runs as process %d", pid), "killed")
	return c, nil
}

// Apply returns when the signal is sent.
func (k *Kill) Apply(ctx context.Context, h *resource.Host) error {
	if k.Fault == KillPatroni {
		_, err := h.Exec.Run(ctx, resource.Command{Argv: []string{"systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", k.Unit}})
		return err
	}
	pid, err := k.postmaster(h)
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill process %d: %w", pid, err)
	}
	return nil
}

// postmaster is the process that postmaster.pid names, if that is one of PostgreSQL: the file may
// be left from a server that is gone, and the number be somebody else's by now.
func (k *Kill) postmaster(h *resource.Host) (int, error) {
	path := filepath.Join(k.Data, "postmaster.pid")
	text, err := os.ReadFile(h.Path(path))
	if err != nil {
		return 0, fmt.Errorf("find PostgreSQL's process: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid < 2 {
		return 0, fmt.Errorf("%s names no process: %q", path, line)
	}
	command, err := os.ReadFile(h.Path(fmt.Sprintf("/proc/%d/comm", pid)))
	if err != nil {
		return 0, fmt.Errorf("process %d of %s is not there: %w", pid, path, err)
	}
	if name := strings.TrimSpace(string(command)); name != "postgres" {
		return 0, fmt.Errorf("process %d of %s is %s, and not PostgreSQL", pid, path, name)
	}
	return pid, nil
}

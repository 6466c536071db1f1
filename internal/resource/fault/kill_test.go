package fault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"pigsty/internal/resource"
)

func write(t *testing.T, h *resource.Host, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.Path(path)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.Path(path), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestKillPostgres(t *testing.T) {
	c := newCluster(t)
	h, _, _ := newHost(t)
	victim := exec.Command("sleep", "60")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	pid := victim.Process.Pid
	k := &Kill{Leader: c.leader(), Fault: KillPostgres, Data: "/pg/data"}
	write(t, h, "/pg/data/postmaster.pid", fmt.Sprintf("%d\n/pg/data\n", pid))

	_, err := k.Diff(t.Context(), h)
	says(t, err, "is not there")
	write(t, h, fmt.Sprintf("/proc/%d/comm", pid), "sleep\n")
	_, err = k.Diff(t.Context(), h)
	says(t, err, "is sleep, and not PostgreSQL")
	says(t, k.Apply(t.Context(), h), "is sleep, and not PostgreSQL")

	write(t, h, fmt.Sprintf("/proc/%d/comm", pid), "postgres\n")
	if change, err := k.Diff(t.Context(), h); err != nil || change.Impact != resource.DataLoss {
		t.Errorf("%+v, %v", change, err)
	}
	if err := k.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	ended, ok := errors.AsType[*exec.ExitError](victim.Wait())
	if !ok || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("the process ended with %v", ended)
	}
}

// A file that names no process must not end up as a signal to everybody.
func TestKillPostgresWithoutAServer(t *testing.T) {
	for _, text := range []string{"", "0\n", "1\n", "-1\n", "postgres\n"} {
		h, _, _ := newHost(t)
		write(t, h, "/pg/data/postmaster.pid", text)
		says(t, (&Kill{Fault: KillPostgres, Data: "/pg/data"}).Apply(t.Context(), h), "names no process")
	}
}

func TestKillPatroni(t *testing.T) {
	c := newCluster(t)
	h, _, commands := newHost(t)
	k := &Kill{Leader: c.leader(), Fault: KillPatroni, Unit: "patroni.service"}
	if change, err := k.Diff(t.Context(), h); err != nil || change.Impact != resource.NoImpact {
		t.Errorf("%+v, %v", change, err)
	}
	if err := k.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if got := commands.lines(); len(got) != 1 || got[0] != "systemctl kill --kill-whom=main --signal=SIGKILL patroni.service" {
		t.Errorf("ran %q", got)
	}
}

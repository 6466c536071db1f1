package agent_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"

	"pigsty/internal/agent"
	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

const rootVariable = "PIGSTY_TEST_AGENT_ROOT"

// TestMain makes this program an agent of its own process for tests that kill one: systemd never
// comes back from a restart there.
func TestMain(m *testing.M) {
	root, isAgent := os.LookupEnv(rootVariable)
	if !isAgent {
		os.Exit(m.Run())
	}
	h := simulate.NewHost(root)
	h.Systemd.(*simulate.Systemd).Fail = func(verb, _ string) error {
		if verb == "restart" {
			fmt.Fprintln(os.Stderr, "restarting")
			select {}
		}
		return nil
	}
	if err := agent.Serve(context.Background(), os.Stdin, os.Stdout, h); err != nil {
		os.Exit(1)
	}
}

// pipe is the stream to an agent in another process.
type pipe struct {
	io.Reader
	io.WriteCloser
}

// configured is a service with a settings file that it must be restarted for.
func configured(content string) []resource.Step {
	all := steps(file("/etc/ssh/sshd_config", content), &resource.Unit{Unit: "ssh.service"})
	all[0].Notify = []resource.Notification{resource.RestartOf("ssh.service")}
	return all
}

// pending lists what a plan on a new connection would do.
func pending(t *testing.T, root string, all []resource.Step) []string {
	t.Helper()
	told, err := connect(t, simulate.NewHost(root), nil).Diff(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, o := range told {
		list = append(list, fmt.Sprint(o.Change.Action, " ", resource.ID(all[o.Index].Resource)))
	}
	return list
}

// An agent killed with SIGKILL after the file was written and before the service restarted: the
// next plan shows the restart, and the next run does it.
func TestKilledBeforeRestart(t *testing.T) {
	root := t.TempDir()
	all := configured("Port 22\n")
	want := []string{"create file:/etc/ssh/sshd_config", "run unit:ssh.service"}
	if got := pending(t, root, all); !slices.Equal(got, want) {
		t.Fatalf("first plan %q, want %q", got, want)
	}
	kill(t, root, all)
	if got := pending(t, root, all); !slices.Equal(got, want[1:]) {
		t.Errorf("plan after the kill %q, want %q", got, want[1:])
	}
	h := simulate.NewHost(root)
	if told, _ := apply(t, connect(t, h, nil), all); told[len(told)-1] != "changed unit:ssh.service" {
		t.Errorf("next run told %q", told)
	}
	if calls := taken(h); !slices.Equal(calls, []string{"restart ssh.service"}) {
		t.Errorf("next run asked systemd for %q", calls)
	}
	if got := pending(t, root, all); got != nil {
		t.Errorf("plan after the next run %q, want nothing", got)
	}
}

// kill carries the steps out by an agent in a process of its own, and kills it inside the
// restart.
func kill(t *testing.T, root string, all []resource.Step) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), rootVariable+"="+root)
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	said, err3 := cmd.StderrPipe()
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = said.Read(make([]byte, 1))
		_ = cmd.Process.Kill()
	}()
	s, err := agent.NewSession(pipe{out, in}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), all, func(resource.Outcome) {}); err == nil {
		t.Error("a run whose agent was killed ended well")
	}
	_ = cmd.Wait()
}

// taken is which restarts and reloads systemd was asked for.
func taken(h *resource.Host) []string {
	calls := h.Systemd.(*simulate.Systemd).Calls()
	return slices.DeleteFunc(calls, func(call string) bool { return call == "daemon-reload" })
}

func TestServiceTakesNoticeOnce(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	all := steps(file("/etc/a", "1"), file("/etc/b", "1"), file("/etc/c", "1"), &resource.Unit{Unit: "ssh.service"}, &resource.Unit{Unit: "cron.service"})
	all[0].Notify = []resource.Notification{resource.RestartOf("ssh.service")}
	all[1].Notify = []resource.Notification{resource.ReloadOf("ssh.service"), resource.ReloadOf("cron.service")}
	all[2].Notify = []resource.Notification{resource.RestartOf("ssh.service")}
	s := connect(t, h, nil)
	apply(t, s, all)
	apply(t, s, all)
	want := []string{"restart ssh.service", "reload cron.service"}
	if calls := taken(h); !slices.Equal(calls, want) {
		t.Errorf("systemd was asked for %q, want %q: a restart outweighs a reload, and each comes once", calls, want)
	}
}

// What one plan expects must not show in the next, on the same connection.
func TestPlanLeavesNothingBehind(t *testing.T) {
	s := connect(t, simulate.NewHost(t.TempDir()), nil)
	all := configured("Port 22\n")
	for range 2 {
		if told, err := s.Diff(t.Context(), all); err != nil || len(told) != 2 {
			t.Errorf("whole plan: %+v, %v", told, err)
		}
		if told, err := s.Diff(t.Context(), all[1:]); err != nil || len(told) != 0 {
			t.Errorf("plan of the unit alone: %+v, %v", told, err)
		}
	}
}

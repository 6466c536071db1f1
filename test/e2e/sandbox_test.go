//go:build e2e

package e2e

import (
	"context"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pigsty/internal/sandbox"
)

// TestSandbox takes one sandbox through everything that can be done to it, in the order a person
// would try it.
func TestSandbox(t *testing.T) {
	s := startNodes(t, "t-sandbox", "10.10.50.0/24", 2)
	steps := []struct {
		name string
		run  func(*testing.T, *sandbox.Sandbox)
	}{
		{"machine", checkMachine},
		{"network", checkNetwork},
		{"up-again", checkUpAgain},
		{"reboot", checkReboot},
		{"power-cut", checkPowerCut},
		{"poweroff", checkPowerOff},
		{"pause", checkPause},
		{"cut", checkCut},
		{"cut-between", checkCutBetween},
		{"reset", checkReset},
		{"side-by-side", checkSideBySide},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) { step.run(t, s) })
	}
	left := footprint(t, "t-sandbox")
	if err := s.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	left.assertGone(t)
	if err := s.Down(t.Context()); err != nil {
		t.Errorf("a second down: %v", err)
	}
}

// node1 is the node that suffers.
const node1 = "node-1"

func stateOf(t *testing.T, s *sandbox.Sandbox, node string) sandbox.NodeStatus {
	t.Helper()
	all, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range all {
		if st.Name == node {
			return st
		}
	}
	t.Fatalf("status does not list %s", node)
	return sandbox.NodeStatus{}
}

func expectState(t *testing.T, s *sandbox.Sandbox, node string, want sandbox.State) {
	t.Helper()
	st := stateOf(t, s, node)
	// A node answers late when the host is busy: until then it counts as booting.
	for deadline := time.Now().Add(20 * time.Second); st.State == sandbox.StateBooting && time.Now().Before(deadline); st = stateOf(t, s, node) {
		time.Sleep(200 * time.Millisecond)
	}
	if st.State != want {
		t.Fatalf("%s is %s, want %s", node, st.State, want)
	}
}

// must ends the step when an operation fails and logs how long it took.
func must(t *testing.T, what string, do func() error) {
	t.Helper()
	began := time.Now()
	if err := do(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %.3f s", what, time.Since(began).Seconds())
}

func checkMachine(t *testing.T, s *sandbox.Sandbox) {
	ids := map[string]bool{}
	for _, n := range s.Nodes() {
		if got := onNode(t, s, n.Name, "id", "-un"); got != "root" {
			t.Errorf("%s: logged in as %q", n.Name, got)
		}
		if got := onNode(t, s, "debian@"+n.Name, "sudo", "-n", "id", "-un"); got != "root" {
			t.Errorf("%s: debian's sudo gives %q", n.Name, got)
		}
		if got := onNode(t, s, "debian@"+n.Name, "sh", "-c", `echo "$(id -u) $SHELL"`); got != "1000 /bin/bash" {
			t.Errorf("%s: debian is %q", n.Name, got)
		}
		if got := onNode(t, s, n.Name, "hostname"); got != n.Name {
			t.Errorf("%s: host name %q", n.Name, got)
		}
		ids[onNode(t, s, n.Name, "cat", "/etc/machine-id")] = true
		checks := map[string]string{
			"cat /proc/sys/net/ipv4/ip_forward":                            "0",
			"command -v python3 || echo none":                              "none",
			"systemctl is-system-running --wait":                           "running",
			"sshd -T | grep -i ^passwordauth":                              "passwordauthentication no",
			"ip -4 -br address show host0 | awk '{print $3}'":              n.Addr.String() + "/24",
			"ls /etc/ssh/ssh_host_*_key":                                   "/etc/ssh/ssh_host_ed25519_key",
			"mkdir /opt/a && mv /opt/a /opt/b && rmdir /opt/b && echo yes": "yes",
		}
		for script, want := range checks {
			if got := onNode(t, s, n.Name, "sh", "-c", script); got != want {
				t.Errorf("%s: %s gives %q, want %q", n.Name, script, got, want)
			}
		}
	}
	if len(ids) != len(s.Nodes()) {
		t.Errorf("machine-ids are not unique: %v", ids)
	}
	must(t, "one command over the shared connection", func() error {
		_, err := s.Exec(t.Context(), node1, nil, "true")
		return err
	})
	out, err := s.Exec(t.Context(), node1, strings.NewReader("in $HOME"), "sh", "-c", `cat; printf '|%s' "$@"`, "-", "a b", "it's", "")
	if want := "in $HOME|a b|it's|"; err != nil || out != want {
		t.Errorf("arguments and input arrive as %q (%v), want %q", out, err, want)
	}
	if _, err := s.Exec(t.Context(), node1, nil, "sh", "-c", "echo broken >&2; exit 7"); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a failing command gives %v", err)
	}
}

func checkNetwork(t *testing.T, s *sandbox.Sandbox) {
	t.Log("name service:", onNode(t, s, "meta", "sh", "-c",
		`getent hosts "$(sed -n 's,^URIs: *[a-z]*://\([^/]*\).*,\1,p' /etc/apt/sources.list.d/debian.sources | head -1)"`))
	must(t, "apt-get update", func() error {
		_, err := s.Exec(t.Context(), "meta", nil, "apt-get", "update", "-q")
		return err
	})
	if !reaches(t, s, "meta", s.Nodes()[1].Addr) {
		t.Error("meta does not reach node-1")
	}
}

func checkUpAgain(t *testing.T, s *sandbox.Sandbox) {
	before := stateOf(t, s, node1)
	must(t, "up of a sandbox that is up", func() error {
		_, err := sandbox.Up(t.Context(), sandbox.Config{Name: s.Name(), Binary: binary})
		return err
	})
	if after := stateOf(t, s, node1); after.Since != before.Since {
		t.Error("up restarted a node that was up")
	}
	if out, err := exec.Command(binary, "sandbox", "up", "--name", s.Name(), "--packages-of", "../../conf/sandbox.yml").CombinedOutput(); err != nil {
		t.Errorf("up for an inventory that is not the one it was made for: %v\n%s", err, out)
	}
	_, err := sandbox.Up(t.Context(), sandbox.Config{Name: s.Name(), Binary: binary, Release: "bookworm", Count: 9})
	if err == nil || !strings.Contains(err.Error(), "trixie") || !strings.Contains(err.Error(), "node count 2") {
		t.Errorf("up with another release and count gives %v", err)
	}
}

func checkReboot(t *testing.T, s *sandbox.Sandbox) {
	onNode(t, s, node1, "sh", "-c", "echo kept > /root/kept; echo gone > /run/gone")
	must(t, "reboot until SSH answers", func() error { return s.Reboot(t.Context(), node1) })
	got := onNode(t, s, node1, "sh", "-c", "cat /root/kept; test -e /run/gone || echo fresh")
	if got != "kept\nfresh" {
		t.Errorf("after a reboot: %q", got)
	}
	if st := stateOf(t, s, node1); st.Boots != 2 || !st.Supervised {
		t.Errorf("after a reboot: %+v", st)
	}
}

func checkPowerCut(t *testing.T, s *sandbox.Sandbox) {
	onNode(t, s, node1, "sh", "-c", "echo written > /root/kept; nohup sleep 1000 > /dev/null 2>&1 &")
	must(t, "power cut with clean-up", func() error { return s.Kill(t.Context(), node1) })
	expectState(t, s, node1, sandbox.StateOff)
	if reaches(t, s, "meta", s.Nodes()[1].Addr) {
		t.Error("a node without power answers")
	}
	must(t, "a second power cut", func() error { return s.Kill(t.Context(), node1) })
	must(t, "start until SSH answers", func() error { return s.Start(t.Context(), node1) })
	if got := onNode(t, s, node1, "sh", "-c", "cat /root/kept; pgrep -x sleep || echo none"); got != "written\nnone" {
		t.Errorf("after a power cut: %q", got)
	}
}

func checkPowerOff(t *testing.T, s *sandbox.Sandbox) {
	_, _ = s.Exec(t.Context(), node1, nil, "systemctl", "poweroff") // the connection may end first
	for stateOf(t, s, node1).State != sandbox.StateOff || stateOf(t, s, node1).Supervised {
		if t.Context().Err() != nil {
			t.Fatal("the node does not go off")
		}
		time.Sleep(20 * time.Millisecond)
	}
	must(t, "up starts the node that is off", func() error {
		_, err := sandbox.Up(t.Context(), sandbox.Config{Name: s.Name(), Binary: binary})
		return err
	})
	expectState(t, s, node1, sandbox.StateUp)
}

func checkPause(t *testing.T, s *sandbox.Sandbox) {
	onNode(t, s, node1, "sh", "-c", "nohup sh -c 'while :; do echo x >> /run/ticks; sleep 0.05; done' > /dev/null 2>&1 &")
	must(t, "pause", func() error { return s.Pause(t.Context(), node1) })
	expectState(t, s, node1, sandbox.StatePaused)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := s.Exec(ctx, node1, nil, "true"); err == nil {
		t.Error("a paused node ran a command")
	}
	must(t, "resume", func() error { return s.Resume(t.Context(), node1) })
	expectState(t, s, node1, sandbox.StateUp)
	// Two seconds of pause are 40 ticks; they are missing from the count, and none was lost after.
	count := onNode(t, s, node1, "sh", "-c", "wc -l < /run/ticks; sleep 0.5; wc -l < /run/ticks")
	t.Log("ticks right after the pause and half a second later:", strings.Fields(count))
	if f := strings.Fields(count); len(f) != 2 || f[0] == f[1] {
		t.Error("processes do not go on after a pause")
	}
}

func checkCut(t *testing.T, s *sandbox.Sandbox) {
	addr := s.Nodes()[1].Addr
	onNode(t, s, node1, "sh", "-c", "nohup sh -c 'sleep 1; ip -4 -br address show host0 > /run/during' > /dev/null 2>&1 &")
	must(t, "cable out", func() error { return s.Cut(t.Context(), node1) })
	expectState(t, s, node1, sandbox.StateCut)
	if reaches(t, s, "meta", addr) {
		t.Error("meta reaches a node that is cut off")
	}
	must(t, "cable in", func() error { return s.Heal(t.Context(), node1) })
	if !reaches(t, s, "meta", addr) {
		t.Error("meta does not reach the node after it was healed")
	}
	expectState(t, s, node1, sandbox.StateUp)
	if got := onNode(t, s, node1, "cat", "/run/during"); !strings.Contains(got, addr.String()) {
		t.Errorf("without its cable the node has %q and has lost its address", got)
	}
}

func checkCutBetween(t *testing.T, s *sandbox.Sandbox) {
	meta, other := s.Nodes()[0].Addr, s.Nodes()[1].Addr
	must(t, "cut between two nodes", func() error { return s.CutBetween(t.Context(), "meta", node1) })
	if reaches(t, s, "meta", other) || reaches(t, s, node1, meta) {
		t.Error("the nodes still reach each other")
	}
	if st := stateOf(t, s, node1); st.State != sandbox.StateUp || len(st.CutFrom) != 1 || st.CutFrom[0] != "meta" {
		t.Errorf("seen from the host: %+v", st)
	}
	must(t, "heal", func() error { return s.Heal(t.Context()) })
	if !reaches(t, s, "meta", other) || !reaches(t, s, node1, meta) {
		t.Error("the nodes do not reach each other after the heal")
	}
}

func checkReset(t *testing.T, s *sandbox.Sandbox) {
	before := onNode(t, s, node1, "cat", "/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub")
	onNode(t, s, node1, "sh", "-c", "touch /root/dirt; rm -rf /usr/bin/curl /etc/cron.d")
	must(t, "reset until SSH answers", func() error { return s.Reset(t.Context(), node1) })
	got := onNode(t, s, node1, "sh", "-c", "ls /root; test -e /usr/bin/curl && test -d /etc/cron.d && echo whole")
	if got != "whole" {
		t.Errorf("after a reset: %q", got)
	}
	if after := onNode(t, s, node1, "cat", "/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub"); after != before {
		t.Error("a reset changed the node's identity")
	}
}

func checkSideBySide(t *testing.T, s *sandbox.Sandbox) {
	_, err := sandbox.Up(t.Context(), sandbox.Config{
		Name: "t-overlap", Subnet: netip.MustParsePrefix("10.10.50.128/25"), Count: 1, Binary: binary,
	})
	if err == nil || !strings.Contains(err.Error(), "t-sandbox") {
		t.Errorf("a subnet inside another sandbox's gives %v", err)
	}
	if left, err := filepath.Glob("/run/pigsty/sandbox/t-overlap*"); err != nil || len(left) > 0 {
		t.Errorf("what was refused leaves %q, %v", left, err)
	}
	second := startNodes(t, "t-second", "10.10.51.0/24", 1)
	left := footprint(t, "t-second")
	if got := onNode(t, second, "meta", "hostname", "-I"); strings.TrimSpace(got) != "10.10.51.10" {
		t.Errorf("the second sandbox's meta has %q", got)
	}
	must(t, "down of the second sandbox", func() error { return second.Down(t.Context()) })
	left.assertGone(t)
	for _, n := range s.Nodes() {
		expectState(t, s, n.Name, sandbox.StateUp)
	}
	onNode(t, s, "meta", "apt-get", "update", "-q")
}

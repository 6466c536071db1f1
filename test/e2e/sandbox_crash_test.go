//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pigsty/internal/sandbox"
)

// TestSandboxCrash kills supervisors and spoils the description; down still leaves nothing, of the
// nodes' own disks neither.
func TestSandboxCrash(t *testing.T) {
	s := startNodes(t, "t-crash", "10.10.51.0/24", 2, func(c *sandbox.Config) { c.Disk = 256 << 20 })
	if disks := footprint(t, "t-crash").loops(t); len(disks) != 2 {
		t.Fatalf("two nodes have the disks %q", disks)
	}
	onNode(t, s, node1, "sh", "-c", "echo kept > /data/file && sync")
	if err := s.CutBetween(t.Context(), "meta", node1); err != nil {
		t.Fatal(err)
	}
	left := footprint(t, "t-crash")
	for _, pid := range left.processes(t, "supervise") {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	for stateOf(t, s, node1).Supervised {
		if t.Context().Err() != nil {
			t.Fatal("the supervisor does not end")
		}
	}
	expectState(t, s, node1, sandbox.StateUp)
	expectState(t, s, "meta", sandbox.StateUp)
	t.Log("the nodes outlive their supervisors, and status says so")

	must(t, "power cut without a supervisor", func() error { return s.Kill(t.Context(), node1) })
	must(t, "start", func() error { return s.Start(t.Context(), node1) })
	if text := onNode(t, s, node1, "cat", "/data/file"); text != "kept" {
		t.Errorf("after a power cut the node's disk holds %q", text)
	}
	if st := stateOf(t, s, node1); !st.Supervised {
		t.Error("a node that was started has no supervisor")
	}
	left = footprint(t, "t-crash")
	if err := os.WriteFile(filepath.Join(filepath.Dir(s.KeyPath()), "sandbox.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, "down after the crash", func() error { return sandbox.Down(t.Context(), "t-crash") })
	left.assertGone(t)
}

// traces are the names under which a sandbox can be found on the host.
type traces struct {
	name  string
	links []string // its bridge and the nodes' ends of it
}

// footprint notes them while the sandbox runs, and ends the test when there are none.
func footprint(t *testing.T, name string) traces {
	t.Helper()
	bridge := "pgs-" + name
	ports, err := os.ReadDir("/sys/class/net/" + bridge + "/brif")
	if err != nil {
		t.Fatal(err)
	}
	f := traces{name: name, links: []string{bridge}}
	for _, p := range ports {
		f.links = append(f.links, p.Name())
	}
	if found := f.find(t); len(f.links) < 2 || len(found) < 6 {
		t.Fatalf("a running sandbox leaves more traces than %q", found)
	}
	return f
}

// find lists what there is of the sandbox on the host now.
func (f traces) find(t *testing.T) []string {
	t.Helper()
	var found []string
	paths := []string{
		"/var/lib/pigsty/sandbox/" + f.name, "/run/pigsty/sandbox/" + f.name,
		"/sys/fs/cgroup/unified/pigsty-sandbox/" + f.name, "/sys/fs/cgroup/pigsty-sandbox/" + f.name,
	}
	for _, link := range f.links {
		paths = append(paths, "/sys/class/net/"+link)
		paths = append(paths, "/run/systemd/nspawn/propagate/"+strings.TrimPrefix(link, "vb-"))
	}
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			found = append(found, path)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if slices.ContainsFunc(paths, func(p string) bool { return strings.Contains(line, p+"/") || strings.Contains(line, p+" ") }) {
			found = append(found, "mount "+strings.TrimSpace(line))
		}
	}
	for _, table := range []string{"nat", "filter"} {
		rules, err := exec.Command("iptables", "-w", "-t", table, "-S").Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(rules)) {
			if strings.Contains(line, "pigsty-sandbox:"+f.name+`"`) {
				found = append(found, "rule "+strings.TrimSpace(line))
			}
		}
	}
	found = append(found, f.loops(t)...)
	for _, pid := range f.processes(t, "") {
		found = append(found, fmt.Sprintf("process %d", pid))
	}
	return found
}

// loops lists the block devices that are files of the sandbox.
func (f traces) loops(t *testing.T) []string {
	t.Helper()
	devices, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, device := range devices {
		file, _ := os.ReadFile(device) // it may have gone
		if strings.Contains(string(file), "/sandbox/"+f.name+"/") {
			found = append(found, device+" "+strings.TrimSpace(string(file)))
		}
	}
	return found
}

// processes lists what runs in the sandbox's cgroups and has the word on its command line. Who has
// ended and only waits for the host's process 1 to notice has no command line.
func (f traces) processes(t *testing.T, word string) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		var pid int
		if _, err := fmt.Sscan(e.Name(), &pid); err != nil {
			continue
		}
		groups, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cgroup"))   // it may have ended
		command, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline")) // likewise
		ours := strings.Contains(string(groups), "/pigsty-sandbox/"+f.name+"/")
		if ours && len(command) > 0 && strings.Contains(string(command), word) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// assertGone fails the test when anything of the sandbox is left.
func (f traces) assertGone(t *testing.T) {
	t.Helper()
	if found := f.find(t); len(found) > 0 {
		t.Errorf("after down there is still:\n%s", strings.Join(found, "\n"))
	} else {
		t.Logf("nothing is left of %s: no process, cgroup, link, rule, mount or file", f.name)
	}
}

//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pigsty/internal/engine"
	"pigsty/internal/resource"
	"pigsty/internal/sandbox"
)

// TestInterrupt deploys on fresh nodes twice and breaks the runs on the way, at moments that are
// drawn from all of the deployment. Whatever happened, one more apply has to finish the work.
func TestInterrupt(t *testing.T) {
	t.Parallel() // most of it is waiting
	nodes := startNodes(t, "t-kill", "10.10.73.0/24", 4, withSoftware)
	s := newSite(t, nodes, "sandbox.yml")
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("INTERRUPT_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("INTERRUPT_SEED=%d", seed)
	i := &interruption{site: s, random: rand.New(rand.NewPCG(seed, 0))}

	if !t.Run("controller killed", func(t *testing.T) { i.in(t).deploy(killed, killed, killed, killed, killed) }) {
		return
	}
	must(t, "fresh disks", func() error { return i.reset(t) })
	passed := t.Run("controller killed, and Ctrl-C", func(t *testing.T) {
		i.in(t).deploy(killed, interrupted, killed, killed, killed, killed)
	})
	if !passed {
		return
	}
	for _, n := range []string{"node-2", "node-3"} {
		must(t, "a fresh disk for "+n, func() error { return nodes.Reset(t.Context(), n) })
	}
	t.Run("agent killed, and a node's power cut", func(t *testing.T) { i.in(t).deploy(agentKilled, powerCut) })
}

type interruption struct {
	*site
	random *rand.Rand
}

func (i *interruption) in(t *testing.T) *interruption { return &interruption{i.site.in(t), i.random} }

// reset gives all nodes the disks that they were made with.
func (i *interruption) reset(t *testing.T) error {
	var errs []error
	for _, n := range i.nodes.Nodes() {
		errs = append(errs, i.nodes.Reset(t.Context(), n.Name))
	}
	return errors.Join(errs...)
}

// deploy runs apply once for each interruption, which strikes when that run has begun its share
// of what was to be done at first, then once more, which has to finish.
func (i *interruption) deploy(strikes ...func(*interruption, *applying)) {
	i.t.Helper()
	total := i.pending(2)
	for n, strike := range strikes {
		// On average the runs share evenly what is left; the last one is not struck.
		left := i.pending(2)
		share := 1 + i.random.IntN(max(1, min(left-1, 2*left/(len(strikes)-n+1))))
		a := i.begin()
		if !a.until(share, i.random) {
			i.t.Fatalf("run %d ended before it had begun %d of %d steps: exit code %d\n%s", n+1, share, left, a.wait(), a.told())
		}
		i.t.Logf("run %d of %d struck at step %d of the deployment's %d: %s", n+1, len(strikes)+1, total-left+share, total, a.last())
		strike(i, a)
	}
	began := time.Now()
	i.apply()
	i.t.Logf("finished in %.1f s", time.Since(began).Seconds())
	i.healthy()
	i.planIsEmpty()
	i.serves()
}

// pending counts what a plan with that exit code would do.
func (i *interruption) pending(code int) int {
	i.t.Helper()
	r := i.pigsty("plan", "--json")
	var plan engine.Plan
	if err := json.Unmarshal([]byte(r.out), &plan); err != nil || r.code != code {
		i.t.Fatalf("plan: exit code %d, %v\n%s%s", r.code, err, r.out, r.err)
	}
	return plan.Changes()
}

// serves writes through every cluster's primary service.
func (i *interruption) serves() {
	i.t.Helper()
	for _, l := range []login{
		{host: "2", port: "5433", user: "dbuser_meta", password: "DBUser.Meta", database: "meta"},
		{host: "3", port: "5433", user: "test", password: "test", database: "test"},
	} {
		conn := i.mustConnect(l)
		// Takes a number from a transaction, which a standby cannot.
		if got := query(i.t, conn, "SELECT (txid_current() > 0)::text"); got != "true" {
			i.t.Errorf("%s writes: %s", l.user, got)
		}
	}
}

// applying is an apply that a test watches while it runs.
type applying struct {
	t      *testing.T
	cmd    *exec.Cmd
	errs   bytes.Buffer
	events chan engine.Event
	seen   []engine.Event
}

// begin starts an apply in a process group of its own.
func (s *site) begin() *applying {
	s.t.Helper()
	a := &applying{t: s.t, cmd: exec.Command(binary, append([]string{"apply", "--yes", "--json", "-i", s.path}, s.extra...)...), events: make(chan engine.Event, 4096)}
	a.cmd.WaitDelay = time.Second
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	a.cmd.Stderr = &a.errs
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { a.cmd.Process.Kill() })
	go a.read(out)
	return a
}

func (a *applying) read(out io.Reader) {
	defer close(a.events)
	for decoder := json.NewDecoder(out); ; {
		var e engine.Event
		if decoder.Decode(&e) != nil {
			return
		}
		a.events <- e
	}
}

// until waits until the run has begun that many steps that change something, and for as long as a
// step takes, up to a point. It is false when the run ended before.
func (a *applying) until(steps int, random *rand.Rand) bool {
	for e := range a.events {
		a.seen = append(a.seen, e)
		if e.Status == resource.Started {
			steps--
		}
		if steps <= 0 {
			time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
			return true
		}
	}
	return false
}

// wait waits for the run's end and returns its exit code.
func (a *applying) wait() int {
	for e := range a.events {
		a.seen = append(a.seen, e)
	}
	var exit *exec.ExitError
	if err := a.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		a.t.Fatal(err)
	}
	return a.cmd.ProcessState.ExitCode()
}

// begun is the node of the step that was begun last.
func (a *applying) begun() string {
	for _, e := range slices.Backward(a.seen) {
		if e.Status == resource.Started {
			return e.Node
		}
	}
	a.t.Fatal("no step was begun")
	return ""
}

// last is what the run told last, for people.
func (a *applying) last() string {
	e := a.seen[len(a.seen)-1]
	return fmt.Sprintf("%s %s %s:%s", e.Node, e.Status, e.Kind, e.Name)
}

// told is what went wrong in the run, for people.
func (a *applying) told() string {
	text := a.errs.String()
	for _, e := range a.seen {
		if e.Status == resource.Failed {
			text += fmt.Sprintf("%s failed %s:%s: %s\n", e.Node, e.Kind, e.Name, e.Error)
		}
	}
	return text
}

// killed ends the controller and its connections as kill -9 does: at once, or all but the
// connections that it shares with the next run.
func killed(i *interruption, a *applying) {
	victims := append([]int{a.cmd.Process.Pid}, children(a.cmd.Process.Pid)...)
	if i.random.IntN(2) == 0 {
		victims = append(victims, i.sharedConnections()...)
	}
	for _, pid := range victims {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			i.t.Error(err)
		}
	}
	if code := a.wait(); code != -1 {
		i.t.Fatalf("the run ended with exit code %d before it was killed", code)
	}
}

// children are the processes that a process has started, and theirs.
func children(pid int) []int {
	var all []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is good
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // that thread has ended
		}
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(append(all, child), children(child)...)
			}
		}
	}
	return all
}

// sharedConnections are the ssh processes that keep connections to the nodes for the next run.
func (i *interruption) sharedConnections() []int {
	var pids []int
	for _, n := range i.nodes.Nodes() {
		path := filepath.Join(os.TempDir(), fmt.Sprintf("pigsty-ssh-%d", os.Getuid()), "%C")
		out, err := exec.Command("ssh", "-o", "ControlPath="+path, "-l", "debian", "-O", "check", n.Addr.String()).CombinedOutput()
		if err != nil {
			continue // there is none
		}
		var pid int
		if _, err := fmt.Sscanf(string(out), "Master running (pid=%d)", &pid); err != nil {
			i.t.Errorf("ssh -O check says %q", out)
			continue
		}
		pids = append(pids, pid)
	}
	return pids
}

// agentKilled kills the agent on a node. The run says so, and goes on with the other nodes.
func agentKilled(i *interruption, a *applying) {
	node := a.begun()
	machine := i.machineAt(node)
	pids := strings.Fields(onNode(i.t, i.nodes, machine, "pgrep", "-f", "^/var/lib/pigsty/agent/pigsty-.* agent$"))
	for _, pid := range pids {
		// The agent that sits idle for the shared plan may have ended since.
		onNode(i.t, i.nodes, machine, "sh", "-c", "kill -9 "+pid+" || true")
	}
	if len(pids) == 0 {
		i.t.Error("no agent runs on " + machine)
	}
	if others := i.goesOnWithout(a, node); others == 0 {
		i.t.Error("nothing more was done on other nodes")
	}
}

// powerCut takes the power of the node that is being deployed. The run says so, and leaves the
// other nodes as they are.
func powerCut(i *interruption, a *applying) {
	node := a.begun()
	machine := i.machineAt(node)
	must(i.t, "power cut of "+machine, func() error { return i.nodes.Kill(i.t.Context(), machine) })
	i.goesOnWithout(a, node)
	must(i.t, "start of "+machine, func() error { return i.nodes.Start(i.t.Context(), machine) })
}

// goesOnWithout waits for the end of a run that has lost a node, which must be the only one on
// which something failed. It returns how many more steps were told of on others.
func (i *interruption) goesOnWithout(a *applying, node string) int {
	i.t.Helper()
	before := len(a.seen)
	began := time.Now()
	code := a.wait()
	if code != 1 {
		i.t.Errorf("a run that has lost %s ends with exit code %d\n%s", node, code, a.told())
	}
	failed, others, held := 0, 0, 0
	for _, e := range a.seen {
		switch {
		case e.Status == resource.Failed && e.Node == node:
			failed++
		case e.Status == resource.Failed:
			i.t.Errorf("%s %s:%s failed, though %s was lost: %s", e.Node, e.Kind, e.Name, node, e.Error)
		}
	}
	for _, e := range a.seen[before:] {
		switch {
		case e.Node == node:
		case e.Status != resource.Skipped:
			others++
		case strings.Contains(e.Error, " on "+node+", which was not done"):
			held++
		default:
			i.t.Errorf("%s %s:%s was skipped, though it does not wait for %s: %s", e.Node, e.Kind, e.Name, node, e.Error)
		}
	}
	if failed == 0 {
		i.t.Errorf("no step failed on %s, which was lost", node)
	}
	i.t.Logf("the run lost %s and ended %.1f s later; on other nodes %d more steps were done, and %d waited in vain",
		node, time.Since(began).Seconds(), others, held)
	return others
}

// interrupted is Ctrl-C: the terminal sends it to the whole process group. Every node finishes
// the step it is at, and begins no other.
func interrupted(i *interruption, a *applying) {
	began := time.Now()
	if err := syscall.Kill(-a.cmd.Process.Pid, syscall.SIGINT); err != nil {
		i.t.Fatal(err)
	}
	if code := a.wait(); code != 1 {
		i.t.Errorf("Ctrl-C: exit code %d\n%s", code, a.told())
	}
	open := map[string]bool{}
	skipped := 0
	for _, e := range a.seen {
		step := e.Node + " " + e.Kind + ":" + e.Name
		switch e.Status {
		case resource.Started:
			open[step] = true
		case resource.Skipped:
			skipped++
		case resource.Failed:
			i.t.Errorf("Ctrl-C made %s fail: %s", step, e.Error)
		}
		if e.Status != resource.Started {
			delete(open, step)
		}
	}
	if len(open) > 0 || skipped == 0 {
		i.t.Errorf("Ctrl-C skipped %d steps, and left %v without an end", skipped, open)
	}
	i.t.Logf("Ctrl-C: ended after %.1f s, %d steps skipped", time.Since(began).Seconds(), skipped)
	for _, n := range i.nodes.Nodes() {
		i.unlocked(n)
	}
}

// unlocked fails the test when a node is still locked by a run that has ended.
func (i *interruption) unlocked(n sandbox.Node) {
	i.t.Helper()
	if _, err := i.nodes.Exec(i.t.Context(), n.Name, nil, "flock", "-n", "/run/pigsty/apply.lock", "true"); err != nil {
		i.t.Errorf("%s is still locked after the run: %v", n.Name, err)
	}
}

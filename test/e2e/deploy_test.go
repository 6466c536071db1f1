//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pigsty/internal/sandbox"
)

// The ready inventory turns bare nodes into all of it with one command, and every promise that
// the commands make about plans, exit codes, scopes and failures holds on real machines.
func TestDeploy(t *testing.T) {
	nodes := startNodes(t, "t-deploy", "10.10.70.0/24", 4, withArchive)
	s := newSite(t, nodes, "sandbox.yml")
	s.edit("name: test, password: test,", "name: test, password: "+testPassword+",")
	watch := watchProcesses(t)

	t.Run("from bare nodes", func(t *testing.T) { s.in(t).bare() })
	if t.Failed() {
		return // there is nothing to look at
	}
	t.Run("plan file", func(t *testing.T) { s.in(t).planFile() })
	t.Run("limit and module", func(t *testing.T) { s.in(t).scopes() })
	t.Run("access", func(t *testing.T) { s.in(t).access() })
	t.Run("one node off", func(t *testing.T) { s.in(t).nodeOff() })
	t.Run("no secret shown", func(t *testing.T) { s.in(t).keepsSecrets(watch.end()) })
}

// applyLock is the file that a run holds locked on each node.
const applyLock = "/run/pigsty/apply.lock"

// bare applies to nodes that have Debian and sshd, and packages in apt's cache, but no way out to
// the network. A second run started meanwhile is turned away.
func (s *site) bare() {
	for _, n := range s.nodes.Nodes() {
		onNode(s.t, s.nodes, n.Name, "ip", "route", "del", "default")
	}
	s.must(0, "validate")
	s.must(2, "plan")
	if r := s.pigsty("apply"); r.code != 1 || !strings.Contains(r.err, "--yes") {
		s.t.Errorf("apply without --yes where nobody can answer: exit code %d\n%s", r.code, r.err)
	}
	onNode(s.t, s.nodes, "node-3", "rm", "-f", applyLock) // it says who held it last
	began := time.Now()
	var first, second result
	var group sync.WaitGroup
	group.Go(func() { first = s.pigsty("apply", "--yes") })
	// Nodes are locked in order, so the last one's file says that all are.
	s.await("the first apply takes the locks", func() bool {
		out, err := s.nodes.Exec(s.t.Context(), "node-3", nil, "sh", "-c", "cat "+applyLock+" 2>/dev/null; true")
		return err == nil && out != ""
	})
	second = s.pigsty("apply", "--yes")
	group.Wait()
	if first.code != 0 {
		s.t.Fatalf("apply: exit code %d\n%s%s", first.code, first.out, first.err)
	}
	s.t.Logf("%s (%.1f s in all)\n%s", lastLine(first.out), time.Since(began).Seconds(), packageLines(first.out))
	host, err := os.Hostname()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, want := range []string{"another run is changing " + s.net, "root@" + host, "pigsty apply", "then try again"} {
		if second.code != 1 || !strings.Contains(second.err, want) {
			s.t.Errorf("a second apply meanwhile: exit code %d, and it does not say %q:\n%s", second.code, want, second.err)
		}
	}
	s.planIsEmpty()
	r := s.must(0, "apply") // without --yes: there is nothing to be asked about
	if !strings.Contains(r.out, "Nothing to do: 4 nodes") || strings.Contains(r.out, "Done") {
		s.t.Errorf("a second apply:\n%s", r.out)
	}
	r = s.must(0, "status")
	s.t.Logf("status:\n%s", r.out)
}

// await waits for something that comes by itself.
func (s *site) await(what string, ready func() bool) {
	s.t.Helper()
	for began := time.Now(); !ready(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 2*time.Minute {
			s.t.Fatalf("this does not come about: %s", what)
		}
	}
}

// planFile keeps a plan and applies it: only as long as nothing else would be done.
func (s *site) planFile() {
	kept := filepath.Join(s.t.TempDir(), "change.plan")
	s.edit(nodeTune, nodeTune+"    node_etc_hosts: [\"192.0.2.9 archive.example\"]\n")
	s.must(2, "plan", "-o", kept)
	onNode(s.t, s.nodes, "node-2", "chmod", "0600", "/etc/profile.d/pigsty.sh")
	if r := s.pigsty("apply", kept); r.code != 1 || !strings.Contains(r.err, "have changed since the plan was made") {
		s.t.Errorf("a plan from before somebody changed a node: exit code %d\n%s", r.code, r.err)
	}
	if got := onNode(s.t, s.nodes, "node-2", "cat", "/etc/hosts"); strings.Contains(got, "archive.example") {
		s.t.Error("a plan that was refused has been carried out")
	}
	s.must(2, "plan", "-o", kept)
	r := s.must(0, "apply", kept)
	if !strings.Contains(r.out, "Done: 5 changes on 4 nodes") {
		s.t.Errorf("the kept plan came to:\n%s", r.out)
	}
	s.planIsEmpty()
	if r := s.pigsty("apply", kept); r.code != 1 {
		s.t.Errorf("the plan applied again: exit code %d\n%s", r.code, r.err)
	}
}

// scopes applies a part of what is due and leaves the rest.
func (s *site) scopes() {
	s.edit("archive.example\"]", "archive.example\", \"192.0.2.10 other.example\"]")
	s.edit("        vip_address: "+s.net+"3\n", "        pg_parameters: { log_min_duration_statement: 251 }\n        vip_address: "+s.net+"3\n")
	hosts := func(names ...string) (lines []string) {
		for _, n := range names {
			lines = append(lines, n+" ~ block:/etc/hosts#hosts")
		}
		return lines
	}
	parameter := append([]string{"pg-test-1 ~ patroni_config:pg-test reload"}, members(newParameters)...)
	slices.Sort(parameter)
	s.expect(hosts("pg-test-2"), "-l", s.net+"12", "-t", "node")
	s.must(0, "apply", "--yes", "-l", s.net+"12", "-t", "node")
	s.expect(hosts("pg-meta-1", "pg-test-1", "pg-test-3"), "-t", "node")
	s.expect(parameter, "-t", "pgsql")
	s.must(0, "apply", "--yes", "-l", "pg-test", "-t", "pgsql")
	s.expect(hosts("pg-test-1", "pg-test-3"), "-l", "pg-test")
	s.must(0, "plan", "-t", "etcd,pgsql")
	if r := s.pigsty("plan", "-l", "nobody"); r.code != 1 || !strings.Contains(r.err, "nobody") {
		s.t.Errorf("a limit that matches nobody: exit code %d\n%s", r.code, r.err)
	}
	s.apply()
}

// expect fails the test unless the plan is these lines.
func (s *site) expect(want []string, args ...string) {
	s.t.Helper()
	if got := s.plan(args...); !slices.Equal(got, want) {
		s.t.Errorf("plan %s is\n  %s\nand not\n  %s", strings.Join(args, " "), strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// nodeOff applies while a replica has no power: all others get what is theirs, and the report
// says what is wrong and what to try. With power again, the next apply does the rest.
func (s *site) nodeOff() {
	ctx := s.t.Context()
	if err := s.nodes.Kill(ctx, "node-3"); err != nil {
		s.t.Fatal(err)
	}
	s.edit("other.example\"]", "other.example\", \"192.0.2.11 third.example\"]")
	s.edit(lastUserOf(testPassword), lastUserOf(testPassword)+"          - { name: late, password: "+latePassword+", pgbouncer: true, roles: [dbrole_readonly] }\n")
	began := time.Now()
	r := s.pigsty("plan")
	s.t.Logf("plan without node-3: %.1f s", time.Since(began).Seconds())
	if r.code != 1 || !strings.Contains(r.out, "1 node could not be reached") {
		s.t.Errorf("plan: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	began = time.Now()
	r = s.pigsty("apply", "--yes")
	s.t.Logf("apply without node-3: %.1f s\n%s", time.Since(began).Seconds(), r.out[max(0, len(r.out)-900):])
	for _, want := range []string{s.net + "13", "pg-test-3", "Not done: 1 failed", "ssh ", "mend the cause and apply again"} {
		if r.code != 1 || !strings.Contains(r.out, want) {
			s.t.Errorf("apply: exit code %d, and it does not say %q:\n%s%s", r.code, want, r.out, r.err)
		}
	}
	for _, node := range []string{"meta", "node-1", "node-2"} {
		if got := onNode(s.t, s.nodes, node, "cat", "/etc/hosts"); !strings.Contains(got, "third.example") {
			s.t.Errorf("%s was not finished", node)
		}
	}
	query(s.t, s.mustConnect(login{host: "12", port: "5433", user: "late", password: latePassword, database: "test"}), "SELECT 'in'")
	s.must(2, "status")
	if err := s.nodes.Start(ctx, "node-3"); err != nil {
		s.t.Fatal(err)
	}
	s.await("node-3 is a replica again", func() bool {
		receivers, err := s.ask(s.dba("13"), "SELECT count(*)::text FROM pg_stat_wal_receiver WHERE status = 'streaming'")
		return err == nil && receivers == "1"
	})
	s.apply()
	s.must(0, "status")
}

// processes is every command line that was seen on this host, the nodes' included.
type processes struct {
	stop func()
	done sync.WaitGroup
	seen map[string]bool
}

// watchProcesses looks at all processes twenty times a second. Nodes are containers, so theirs
// are among them.
func watchProcesses(t *testing.T) *processes {
	p := &processes{seen: map[string]bool{}}
	quit := make(chan struct{})
	p.stop = sync.OnceFunc(func() { close(quit) })
	p.done.Go(func() {
		for {
			p.look()
			select {
			case <-quit:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() { p.end() })
	return p
}

func (p *processes) look() {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		// A process that has ended meanwhile was seen before, or will never be.
		if line, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline")); err == nil {
			p.seen[string(line)] = true
		}
	}
}

// end stops looking and returns what was seen.
func (p *processes) end() map[string]bool {
	p.stop()
	p.done.Wait()
	return p.seen
}

// keepsSecrets searches all that people can see, or that is kept, for every password and key
// that was generated or given.
func (s *site) keepsSecrets(commands map[string]bool) {
	secrets := s.secrets()
	for name, value := range map[string]string{"test": testPassword, "late": latePassword, "dbuser_meta": "DBUser.Meta", "dbuser_view": "DBUser.Viewer", "any verifier": "SCRAM-SHA-256$4096:"} {
		secrets[name] = value
	}
	key, err := os.ReadFile(filepath.Join(s.state(), "ca.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	secrets["ca.key"] = strings.Split(string(key), "\n")[1]
	texts := map[string]string{"what pigsty printed": s.said.String()}
	for line := range commands {
		texts["process list"] += strings.ReplaceAll(line, "\x00", " ") + "\n"
	}
	journals, err := filepath.Glob(filepath.Join(s.state(), "journal", "*"))
	if err != nil || len(journals) == 0 {
		s.t.Fatalf("no journal: %v", err)
	}
	for _, path := range journals {
		text, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		texts["journal"] += string(text)
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, n := range s.nodes.Nodes() {
		group.Go(func() {
			text := nodeLogs(s, n)
			mu.Lock()
			defer mu.Unlock()
			texts["logs of "+n.Name] = text
		})
	}
	group.Wait()
	for where, text := range texts {
		if len(text) < 10_000 {
			s.t.Errorf("%s: only %d bytes were searched", where, len(text))
		}
		for name, value := range secrets {
			if len(value) < 8 {
				s.t.Fatalf("secret %s is too short to be searched for", name)
			}
			if at := strings.Index(text, value); at >= 0 {
				s.t.Errorf("%s shows secret %s: …%.80s", where, name, text[max(0, at-80):at])
			}
		}
		s.t.Logf("%s: %d kB searched for %d secrets", where, len(text)>>10, len(secrets))
	}
}

// nodeLogs is everything that is logged on a node.
func nodeLogs(s *site, n sandbox.Node) string {
	const script = "journalctl --no-pager --all --quiet -o verbose; " +
		"find /var/log /pg/log/ -path /var/log/journal -prune -o -type f -exec cat {} +"
	out, err := s.nodes.Exec(s.t.Context(), n.Name, nil, "sh", "-c", script)
	if err != nil {
		s.t.Error(err)
	}
	return out
}

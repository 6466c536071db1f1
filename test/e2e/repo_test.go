//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pigsty/internal/controller"
	"pigsty/internal/sandbox"
)

// repoSite is a primary with its replica; the first node has the repository.
const repoSite = `
all:
  children:
    meta:
      vars: { meta_node: true, ansible_group_priority: 99 }
      hosts: { 10.10.10.10: {} }
    pg-test:
      hosts:
        10.10.10.10: { pg_seq: 1, pg_role: primary }
        10.10.10.11: { pg_seq: 2, pg_role: replica }
      vars:
        pg_cluster: pg-test
        pg_users: [{ name: test, password: ` + testPassword + `, pgbouncer: true, roles: [dbrole_admin] }]
        pg_databases: [{ name: test }]
  vars:
    ansible_user: root # sudo would ask a name server for the node's own name, before an apply has made it known
    ansible_ssh_private_key_file: KEY
    ansible_ssh_common_args: -o UserKnownHostsFile=HOSTS
    dcs_servers: { etcd-1: 10.10.10.10 }
    node_tune: tiny
    pg_conf: tiny.yml
    node_ntp_enabled: false
    node_etc_hosts_default: [10.10.10.10 pigsty]
    node_repo_method: local
    node_repo_remove: true
    repo_packages: [top, no-such-package]
    repo_upstreams: [{ name: node }]
`

// A repository is built where there is a network, travels in one file, and is all that fresh nodes
// without a way out need to become a cluster.
func TestRepo(t *testing.T) {
	t.Parallel() // much of it is waiting
	nodes := startNodes(t, "t-repo", "10.10.86.0/24", 2)
	s := newSite(t, nodes, "sandbox.yml")
	s.extra = unmonitored
	s.write(strings.NewReplacer("10.10.10.", s.net, "KEY", nodes.KeyPath(), "HOSTS", nodes.KnownHostsPath()).Replace(repoSite))
	r := &repoTest{site: s, bundle: filepath.Join(t.TempDir(), "pigsty.tar")}

	t.Run("build", func(t *testing.T) { r.in(t).build() })
	t.Run("bundle", func(t *testing.T) { r.in(t).pack() })
	if t.Failed() {
		return // there is nothing to carry
	}
	for _, n := range nodes.Nodes() {
		if err := nodes.Reset(t.Context(), n.Name); err != nil {
			t.Fatal(err)
		}
	}
	wall := closeWayOut(t, nodes)
	s.edit("repo_upstreams: [{ name: node }]", "repo_upstreams: []")
	t.Run("a fresh node without a network", func(t *testing.T) { r.in(t).unpack() })
	if t.Failed() {
		return
	}
	t.Run("deploy", func(t *testing.T) { r.in(t).deploy() })
	t.Run("newer than the repository", func(t *testing.T) { r.in(t).newer() })
	t.Run("nobody asked outside", func(t *testing.T) { wall.quiet(t) })
	t.Run("damage", func(t *testing.T) { r.in(t).damage() })
}

// repoTest is the site and the bundle that it travels in.
type repoTest struct {
	*site
	bundle string
}

func (r *repoTest) in(t *testing.T) *repoTest { return &repoTest{r.site.in(t), r.bundle} }

// tinyPackage makes a package that has nothing in it.
func (r *repoTest) tinyPackage(dir, name, version, depends string) string {
	r.t.Helper()
	root := filepath.Join(r.t.TempDir(), name)
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: nobody\nDescription: nothing\nLicense: MIT\n", name, version)
	if depends != "" {
		control += "Depends: " + depends + "\n"
	}
	if err := os.MkdirAll(filepath.Join(root, "DEBIAN"), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "DEBIAN/control"), []byte(control), 0o644); err != nil {
		r.t.Fatal(err)
	}
	file := filepath.Join(dir, name+"_"+version+"_all.deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", root, file).CombinedOutput(); err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// states is what repo list says.
func (r *repoTest) states() controller.RepoState {
	r.t.Helper()
	var all []controller.RepoState
	if err := json.Unmarshal([]byte(r.must(0, "repo", "list", "-o", "json").out), &all); err != nil || len(all) != 1 {
		r.t.Fatalf("%d repositories, %v", len(all), err)
	}
	return all[0]
}

func (r *repoTest) build() {
	own := r.t.TempDir()
	r.tinyPackage(own, "bottom", "1", "")
	r.tinyPackage(own, "top", "1", "bottom (= 1)")
	if got := r.must(2, "repo", "build", "--plan", "--packages", own); !strings.Contains(got.out, "top_1_all.deb") {
		r.t.Errorf("the plan says\n%s", got.out)
	}
	began := time.Now()
	got := r.must(0, "repo", "build", "--yes", "--packages", own)
	r.t.Logf("built in %.1f s", time.Since(began).Seconds())
	if want := "package no-such-package is in no source for trixie/amd64"; !strings.Contains(got.out, want) || !strings.Contains(got.out, "sandbox.yml:26:26: ") {
		r.t.Errorf("it does not say where %q:\n%s", want, got.out)
	}
	state := r.states()
	names := map[string]string{}
	for _, p := range state.Manifest.Packages {
		names[p.Name] = p.Origin + " " + p.Licence
	}
	for _, want := range []string{"patroni", "etcd-server", "libc6", "nginx", "dpkg", "systemd"} {
		if names[want] == "" {
			r.t.Errorf("%s is not there", want)
		}
	}
	if names["top"] != "own MIT" {
		r.t.Errorf("the package of our own is %q", names["top"])
	}
	r.t.Logf("%d packages, %d bytes", len(state.Manifest.Packages), state.Manifest.Size())
	r.edit(", no-such-package]", "]")
	r.must(0, "repo", "build", "--yes")
	before := onNode(r.t, r.nodes, "meta", "sh", "-c", "cd /www/pigsty; ls -lR --time-style=full-iso . .generation")
	if got := r.must(0, "repo", "build", "--yes", "--packages", own); !strings.Contains(got.out, "Nothing to do") {
		r.t.Errorf("a second build with nothing new:\n%s", got.out)
	}
	if after := onNode(r.t, r.nodes, "meta", "sh", "-c", "cd /www/pigsty; ls -lR --time-style=full-iso . .generation"); after != before {
		r.t.Errorf("a second build has changed\n%s\nto\n%s", before, after)
	}
	began = time.Now()
	r.must(0, "repo", "verify")
	r.t.Logf("verified in %.1f s", time.Since(began).Seconds())
}

// pack writes the bundle, twice the same, and a damaged one is refused.
func (r *repoTest) pack() {
	began := time.Now()
	r.must(0, "repo", "pack", r.bundle)
	r.t.Logf("packed in %.1f s", time.Since(began).Seconds())
	again := filepath.Join(r.t.TempDir(), "again.tar")
	r.must(0, "repo", "pack", again)
	one, err := os.ReadFile(r.bundle)
	if err != nil {
		r.t.Fatal(err)
	}
	two, err := os.ReadFile(again)
	if err != nil || !bytes.Equal(one, two) {
		r.t.Errorf("two bundles of one repository differ: %v", err)
	}
	two[len(two)*2/3] ^= 1
	for what, damaged := range map[string][]byte{"a changed byte": two, "a copy that was cut short": one[:len(one)/2]} {
		if err := os.WriteFile(again, damaged, 0o600); err != nil {
			r.t.Fatal(err)
		}
		got := r.pigsty("repo", "unpack", again, "--yes")
		if got.code != 1 || !strings.Contains(got.err, "is no whole bundle") {
			r.t.Errorf("%s: exit code %d\n%s%s", what, got.code, got.out, got.err)
		}
	}
	if got := r.pigsty("repo", "unpack", r.bundle, "--signed-by", strings.Repeat("0", 40)); got.code != 1 || !strings.Contains(got.err, "was signed by") {
		r.t.Errorf("a bundle of another key: exit code %d\n%s", got.code, got.err)
	}
}

// wall is the firewall rule that stops what nodes send to anybody but each other.
type wall struct{ rule []string }

// closeWayOut drops, and counts, what nodes send out of their own network. The rule goes with the
// sandbox.
func closeWayOut(t *testing.T, nodes *sandbox.Sandbox) *wall {
	t.Helper()
	bridge := "pgs-" + nodes.Name()
	w := &wall{[]string{"FORWARD", "-i", bridge, "!", "-o", bridge, "-m", "comment", "--comment", "pigsty-sandbox:" + nodes.Name(), "-j", "DROP"}}
	if out, err := exec.Command("iptables", append([]string{"-w", "-I"}, w.rule...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := nodes.Exec(t.Context(), "meta", nil, "timeout", "2", "bash", "-c", "echo > /dev/tcp/192.0.2.1/80"); err == nil {
		t.Fatal("the way out is not closed")
	}
	if w.dropped(t) == 0 {
		t.Fatal("what is dropped is not counted")
	}
	if out, err := exec.Command("iptables", "-w", "-Z", "FORWARD").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return w
}

// dropped is how many packets the wall has stopped.
func (w *wall) dropped(t *testing.T) int {
	t.Helper()
	out, err := exec.Command("iptables", "-w", "-nvxL", "FORWARD").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) > 6 && slices.Contains(f, "DROP") && slices.Contains(f, w.rule[2]) && slices.Contains(f, "!"+w.rule[2]) {
			n, err := strconv.Atoi(f[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("the rule is gone:\n%s", out)
	return 0
}

func (w *wall) quiet(t *testing.T) {
	if n := w.dropped(t); n > 0 {
		t.Errorf("nodes have sent %d packets out", n)
	}
}

// unpack makes a fresh node the host of the repository. Before, there is nothing to install from, and
// that is said.
func (r *repoTest) unpack() {
	got := r.must(2, "plan")
	if !strings.Contains(got.out, "repo_upstreams is empty: unpack a bundle") {
		r.t.Errorf("the plan without a repository says\n%s", got.out)
	}
	began := time.Now()
	r.must(0, "repo", "unpack", r.bundle, "--yes")
	r.t.Logf("unpacked in %.1f s", time.Since(began).Seconds())
	r.must(0, "repo", "verify")
	if got := r.must(0, "repo", "unpack", r.bundle); !strings.Contains(got.out, "Nothing to do") {
		r.t.Errorf("unpacked again:\n%s", got.out)
	}
}

// deploy makes a cluster of what is in the repository.
func (r *repoTest) deploy() {
	began := time.Now()
	r.apply()
	r.t.Logf("deployed in %.1f s", time.Since(began).Seconds())
	primary := r.mustConnect(login{host: "10", port: "5432", user: "test", password: testPassword, database: "test"})
	if _, err := primary.Exec(r.t.Context(), "CREATE TABLE x AS SELECT 'carried'::text AS y"); err != nil {
		r.t.Fatal(err)
	}
	r.await("the replica has it", func() bool {
		got, err := r.ask(login{host: "11", port: "5432", user: "test", password: testPassword, database: "test"}, "SELECT y FROM x")
		return err == nil && got == "carried"
	})
	for _, page := range []string{"pool/", "dists/trixie/InRelease", "manifest.json", "pigsty.asc"} {
		if got := onNode(r.t, r.nodes, "node-1", "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "http://pigsty/pigsty/"+page); got != "200" {
			r.t.Errorf("%s is answered with %s", page, got)
		}
	}
	if got := onNode(r.t, r.nodes, "node-1", "sh", "-c", "apt-get indextargets --format '$(SITE)' | sort -u"); got != "http://pigsty/pigsty" {
		r.t.Errorf("node-1 takes packages from %s", got)
	}
}

// newer installs, on a node that has a newer version of a package than the repository, another one
// that insists on the repository's.
func (r *repoTest) newer() {
	file := r.tinyPackage(r.t.TempDir(), "bottom", "2", "")
	content, err := os.Open(file)
	if err != nil {
		r.t.Fatal(err)
	}
	defer content.Close()
	if _, err := r.nodes.Exec(r.t.Context(), "node-1", content, "sh", "-c", "cat > /root/bottom.deb && dpkg -i /root/bottom.deb"); err != nil {
		r.t.Fatal(err)
	}
	r.edit("        pg_cluster: pg-test\n", "        pg_cluster: pg-test\n        node_packages: [top]\n")
	got := r.apply()
	if !strings.Contains(got.out, "bottom (1, was 2)") {
		r.t.Errorf("nothing is said of the package that went back:\n%s", got.out)
	}
	if got := onNode(r.t, r.nodes, "node-1", "dpkg-query", "-W", "bottom", "top"); got != "bottom\t1\ntop\t1" {
		r.t.Errorf("installed are %q", got)
	}
}

// damage is found, told, and mended from a bundle.
func (r *repoTest) damage() {
	onNode(r.t, r.nodes, "meta", "sh", "-c", "cd /www/pigsty/pool && truncate -s 100 n/nginx/nginx_*.deb && chmod 600 a/acl/acl_*.deb")
	got := r.must(2, "repo", "verify")
	for _, want := range []string{"is not as it was packaged: 100 bytes", "has mode or owner 0600", "is not whole"} {
		if !strings.Contains(got.out, want) {
			r.t.Errorf("verify does not say %q:\n%s", want, got.out)
		}
	}
	if got := r.pigsty("apply", "--yes", "-t", "repo"); got.code != 1 || !strings.Contains(got.out, "unpack the bundle") {
		r.t.Errorf("a damaged package that no source has: exit code %d\n%s", got.code, got.out)
	}
	r.must(0, "repo", "unpack", r.bundle, "--yes")
	r.must(0, "repo", "verify")
	r.planIsEmpty()
}

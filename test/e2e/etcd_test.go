//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pigsty/internal/pki"
)

// quorum is an etcd cluster on three machines that carry nothing else, so that PostgreSQL shows
// what a loss of theirs costs, and two clusters that it serves.
const quorum = `
all:
  children:
    meta:
      vars: { meta_node: true, ansible_group_priority: 99 }
      hosts: { NET.10: {} }
    dcs:
      hosts: { NET.10: {}, NET.11: {}, NET.12: {} }
    pg-one:
      hosts: { NET.13: { pg_seq: 1, pg_role: primary } }
      vars:
        pg_cluster: pg-one
        pg_databases: [{ name: test }]
        pg_users: [{ name: test, password: test, pgbouncer: true, roles: [dbrole_admin] }]
    pg-two:
      hosts: { NET.14: { pg_seq: 1, pg_role: primary } }
      vars:
        pg_cluster: pg-two
  vars:
CONNECT
    dcs_servers: { etcd-1: NET.10, etcd-2: NET.11, etcd-3: NET.12 }
    pg_dcs_type: etcd
    node_tune: tiny
    pg_conf: tiny.yml
`

var oneLogin = login{host: "13", port: "5433", user: "test", password: "test", database: "test"}

// TestEtcd breaks, replaces, adds and removes members of etcd while a client writes to
// PostgreSQL, which has to notice none of it.
func TestEtcd(t *testing.T) {
	t.Parallel() // most of it is waiting
	nodes := startNodes(t, "t-etcd", "10.10.74.0/24", 5, withSoftware)
	e := &etcd{site: filledSite(t, nodes, quorum)}
	e.apply()
	e.healthy()
	e.http = e.client(e.authority())
	e.ledger = startLedger(e.site, oneLogin, map[string][]string{"of pg-one": {"13:5433"}})
	e.ledger.writable()
	for _, step := range []struct {
		name string
		do   func(*etcd)
	}{
		{"access", (*etcd).access},
		{"settings", (*etcd).settings},
		{"a member is lost and replaced", (*etcd).replaced},
		{"the leader is lost", (*etcd).leaderLost},
		{"members are added", (*etcd).added},
		{"a member is removed", (*etcd).removed},
	} {
		passed := t.Run(step.name, func(t *testing.T) {
			sub := *e
			sub.site = e.in(t)
			step.do(&sub)
			sub.healthy()
			sub.planIsEmpty()
			sub.ledger.writable()
		})
		if !passed {
			break
		}
	}
	a := e.ledger.close(e.site, oneLogin)
	if a.Failed+a.Unknown > 0 {
		t.Errorf("%d writes failed: %v", a.Failed+a.Unknown, a.Errors)
	}
}

type etcd struct {
	*site
	http   *http.Client
	ledger *book
}

func (e *etcd) authority() *pki.Authority {
	e.t.Helper()
	a, err := pki.Open(e.state(), pki.DefaultCertFile, pki.DefaultKeyFile)
	if err != nil {
		e.t.Fatal(err)
	}
	return a
}

// client trusts the site's authority and shows a certificate of the given one; none when it is
// nil.
func (e *etcd) client(shown *pki.Authority) *http.Client {
	e.t.Helper()
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM([]byte(e.authority().CertPEM())) {
		e.t.Fatal("the site's authority is no certificate")
	}
	if shown != nil {
		config.Certificates = []tls.Certificate{certificateOf(e.t, shown)}
	}
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: config}}
}

// certificateOf has an authority sign a client's certificate, without a common name as etcd's
// gateway wants it.
func certificateOf(t *testing.T, a *pki.Authority) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr})
	chain, err := a.Sign(pki.Request{CSR: text, Leaf: pki.Leaf{DNSNames: []string{"test"}, Days: 1}})
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(chain, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// ask puts a question to a member's gateway and returns status and body of the answer.
func (e *etcd) ask(client *http.Client, host, path, token string, question any) (int, string, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return 0, "", err
	}
	request, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, "https://"+e.net+host+":2379"+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		request.Header.Set("Authorization", token)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// token logs a cluster's user in with the password that its Patroni has.
func (e *etcd) token(user, machine string) string {
	e.t.Helper()
	line := onNode(e.t, e.nodes, machine, "grep", "PATRONI_ETCD3_PASSWORD", "/etc/patroni/patroni.env")
	password := strings.Trim(strings.TrimPrefix(line, "PATRONI_ETCD3_PASSWORD="), `"`)
	_, text, err := e.ask(e.http, "10", "/v3/auth/authenticate", "", map[string]string{"name": user, "password": password})
	var answer struct{ Token string }
	if err == nil {
		err = json.Unmarshal([]byte(text), &answer)
	}
	if err != nil || answer.Token == "" {
		e.t.Fatalf("%s cannot log in: %v %s", user, err, text)
	}
	return answer.Token
}

// all is the question for every key with the prefix.
func all(prefix string) any {
	end := []byte(prefix)
	end[len(end)-1]++
	return map[string][]byte{"key": []byte(prefix), "range_end": end}
}

// access tries all ways in that must be closed, and the one that must be open.
func (e *etcd) access() {
	for _, member := range []string{"10", "11", "12"} {
		for _, port := range []string{"2379", "2380"} {
			plain := &http.Client{Timeout: 5 * time.Second}
			if answer, err := plain.Get("http://" + e.net + member + ":" + port + "/version"); err == nil {
				text, _ := io.ReadAll(answer.Body)
				answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					e.t.Errorf("member %s answers in plaintext on port %s: %s", member, port, text)
				}
			}
		}
		other, err := pki.Create(e.t.TempDir(), "/CN=other")
		if err != nil {
			e.t.Fatal(err)
		}
		for name, client := range map[string]*http.Client{"no certificate": e.client(nil), "another authority's certificate": e.client(other)} {
			if code, text, err := e.ask(client, member, "/v3/kv/range", "", all("/")); err == nil {
				e.t.Errorf("member %s answers a client with %s: %d %s", member, name, code, text)
			}
		}
		for _, path := range []string{"/v3/kv/range", "/v3/kv/deleterange"} {
			code, text, err := e.ask(e.http, member, path, "", all("/pg/pg-one/"))
			refused := strings.Contains(text, "permission denied") || strings.Contains(text, "user name is empty")
			if err != nil || code == http.StatusOK || !refused {
				e.t.Errorf("member %s answers %s without a user: %d %s %v", member, path, code, text, err)
			}
		}
		// The plain port for metrics is for the machine itself.
		if conn, err := (&http.Client{Timeout: 2 * time.Second}).Get("http://" + e.net + member + ":2381/metrics"); err == nil {
			conn.Body.Close()
			e.t.Errorf("member %s shows its metrics to others in plaintext", member)
		}
	}
	own := e.token("pg-one", "node-3")
	code, text, err := e.ask(e.http, "11", "/v3/kv/range", own, all("/pg/pg-one/"))
	if err != nil || code != http.StatusOK || !strings.Contains(text, `"kvs"`) {
		e.t.Errorf("pg-one does not see its own keys: %d %s %v", code, text, err)
	}
	for _, prefix := range []string{"/pg/pg-two/", "/pg/", "/"} {
		for _, path := range []string{"/v3/kv/range", "/v3/kv/deleterange"} {
			code, text, err := e.ask(e.http, "11", path, own, all(prefix))
			if err != nil || code == http.StatusOK || !strings.Contains(text, "permission denied") {
				e.t.Errorf("pg-one may %s %s: %d %s %v", path, prefix, code, text, err)
			}
		}
	}
	put := map[string][]byte{"key": []byte("/pg/pg-two/leader"), "value": []byte("x")}
	if code, text, err := e.ask(e.http, "11", "/v3/kv/put", own, put); err != nil || code == http.StatusOK {
		e.t.Errorf("pg-one may write keys of pg-two: %d %s %v", code, text, err)
	}
	two := onNode(e.t, e.nodes, "node-4", "grep", "PATRONI_ETCD3_PASSWORD", "/etc/patroni/patroni.env")
	if two == onNode(e.t, e.nodes, "node-3", "grep", "PATRONI_ETCD3_PASSWORD", "/etc/patroni/patroni.env") {
		e.t.Error("pg-one and pg-two have the same password in etcd")
	}
}

// watch is etcd's health as its clients see it: a sample a few times a second of whether any
// member can serve a read, which takes a majority.
type watch struct {
	stop     context.CancelFunc
	running  sync.WaitGroup
	samples  int
	unserved int // in which no member could
	longest  int // how many of those in a row
}

// election is how many samples in a row may find nobody: a change of leader, which a busy machine
// can bring about, leaves a gap, and a majority that is lost leaves a longer one.
const election = 2

func (e *etcd) watch(hosts ...string) *watch {
	ctx, stop := context.WithCancel(context.Background())
	w := &watch{stop: stop}
	e.t.Cleanup(stop)
	w.running.Go(func() {
		row := 0
		for ; ctx.Err() == nil; time.Sleep(200 * time.Millisecond) {
			w.samples++
			row++
			if slices.ContainsFunc(hosts, e.serves) {
				row = 0
				continue
			}
			w.unserved++
			w.longest = max(w.longest, row)
		}
	})
	return w
}

// serves tells whether a member says that it can serve.
func (e *etcd) serves(host string) bool {
	client := *e.http
	client.Timeout = 2 * time.Second
	response, err := client.Get("https://" + e.net + host + ":2379/health")
	if err != nil {
		return false
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return err == nil && strings.Contains(string(text), `"health":"true"`)
}

// end returns how many samples there were, and in how many of them nobody served.
func (w *watch) end() (samples, unserved int) {
	w.stop()
	w.running.Wait()
	return w.samples, w.unserved
}

// never ends a watch during which somebody must have served all the time.
func (e *etcd) never(w *watch) {
	e.t.Helper()
	samples, unserved := w.end()
	e.t.Logf("etcd's health: %d samples, %d without a majority", samples, unserved)
	if w.longest > election || samples < 5 {
		e.t.Errorf("of %d samples, etcd had no majority in %d, %d of them in a row", samples, unserved, w.longest)
	}
}

// etcdLeader is the last number of the leader's address.
func (e *etcd) etcdLeader() string {
	e.t.Helper()
	status, _ := e.status()
	for _, m := range status.Etcd {
		if m.State == "leader" {
			return lastNumber(m.Addr)
		}
	}
	e.t.Fatalf("etcd has no leader: %+v", status.Etcd)
	return ""
}

// members are the voters and learners that etcd itself lists, by name.
func (e *etcd) members(host string) (voters, learners []string) {
	e.t.Helper()
	code, text, err := e.ask(e.http, host, "/v3/cluster/member/list", "", struct{}{})
	var answer struct {
		Members []struct {
			Name      string `json:"name"`
			IsLearner bool   `json:"isLearner"`
		}
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &answer)
	}
	if err != nil || code != http.StatusOK {
		e.t.Fatalf("ask etcd for its members: %d %s %v", code, text, err)
	}
	for _, m := range answer.Members {
		if m.IsLearner {
			learners = append(learners, m.Name)
			continue
		}
		voters = append(voters, m.Name)
	}
	slices.Sort(voters)
	return voters, learners
}

func (e *etcd) expectMembers(host string, want ...string) {
	e.t.Helper()
	if voters, learners := e.members(host); !slices.Equal(voters, want) || len(learners) > 0 {
		e.t.Errorf("voters %q, learners %q; want voters %q", voters, learners, want)
	}
}

// settings changes the members' file on every machine behind the product's back. The next apply
// puts it right and restarts one member at a time.
func (e *etcd) settings() {
	hosts := []string{"10", "11", "12"}
	for _, host := range hosts {
		onNode(e.t, e.nodes, e.machineAt(e.net+host), "sh", "-c", "echo ETCD_SNAPSHOT_COUNT=5000 >> /etc/etcd/etcd.conf")
	}
	w := e.watch(hosts...)
	began := onNode(e.t, e.nodes, "meta", "cut", "-d ", "-f1", "/proc/uptime")
	e.apply()
	samples, unserved := w.end()
	e.t.Logf("etcd's health: %d samples, %d without a leader, which restarted too", samples, unserved)
	type span struct{ down, up int64 }
	var spans []span
	for _, host := range hosts {
		show := onNode(e.t, e.nodes, e.machineAt(e.net+host), "systemctl", "show", "etcd", "-P", "ActiveExitTimestampMonotonic", "-P", "ActiveEnterTimestampMonotonic")
		var s span
		if _, err := fmt.Sscan(strings.ReplaceAll(show, "\n", " "), &s.up, &s.down); err != nil {
			e.t.Fatalf("systemctl show: %q: %v", show, err)
		}
		if s.down > s.up {
			s.down, s.up = s.up, s.down
		}
		spans = append(spans, s)
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.down - b.down) })
	var uptime float64
	if _, err := fmt.Sscan(began, &uptime); err != nil {
		e.t.Fatal(err)
	}
	for i, s := range spans {
		if float64(s.down) < uptime*1e6 {
			e.t.Errorf("a member did not restart: %v, and apply began at %s", spans, began)
		}
		if i > 0 && s.down < spans[i-1].up {
			e.t.Errorf("two members were down at once: %v", spans)
		}
	}
}

// replaced takes a follower's machine away. PostgreSQL goes on, plan names the machine, and when
// it is back with an empty disk, apply makes its member anew.
func (e *etcd) replaced() {
	lost := e.follower()
	machine := e.machineAt(e.net + lost)
	w := e.watch(without(lost)...)
	must(e.t, "power cut of a follower", func() error { return e.nodes.Kill(e.t.Context(), machine) })
	e.ledger.writable()
	if r := e.pigsty("plan"); r.code != 1 || !strings.Contains(r.out, "cannot reach "+e.net+lost) || !strings.Contains(r.out, "1 node could not be reached") {
		e.t.Errorf("plan with a member that is off: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if r := e.pigsty("apply", "--yes"); r.code != 1 {
		e.t.Errorf("apply with a member that is off: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	must(e.t, "a fresh disk", func() error { return e.nodes.Reset(e.t.Context(), machine) })
	e.apply()
	e.never(w)
	e.expectMembers("10", "etcd-1", "etcd-2", "etcd-3")
}

// follower is a member that does not lead. The first is left alone: it is asked for everything.
func (e *etcd) follower() string {
	if e.etcdLeader() == "12" {
		return "11"
	}
	return "12"
}

// without are the three members but one.
func without(lost string) []string {
	return slices.DeleteFunc([]string{"10", "11", "12"}, func(h string) bool { return h == lost })
}

// leaderLost takes the leader's power and gives it back.
func (e *etcd) leaderLost() {
	lost := e.etcdLeader()
	machine := e.machineAt(e.net + lost)
	w := e.watch("10", "11", "12")
	other := without(lost)[0]
	before := e.leaderID(other)
	since := time.Now()
	must(e.t, "power cut of the leader", func() error { return e.nodes.Kill(e.t.Context(), machine) })
	for {
		if now := e.leaderID(other); now != before && now != "" {
			break
		}
		if time.Since(since) > time.Minute {
			e.t.Fatal("etcd has elected nobody for a minute")
		}
		time.Sleep(50 * time.Millisecond)
	}
	e.t.Logf("another member leads after %.1f s", time.Since(since).Seconds())
	e.ledger.writable()
	must(e.t, "start", func() error { return e.nodes.Start(e.t.Context(), machine) })
	e.healthy()
	samples, unserved := w.end()
	e.t.Logf("etcd's health: %d samples, %d without a leader", samples, unserved)
}

// leaderID is who leads as a member sees it; empty when it sees nobody.
func (e *etcd) leaderID(host string) string {
	e.t.Helper()
	code, text, err := e.ask(e.http, host, "/v3/maintenance/status", "", struct{}{})
	var answer struct{ Leader string }
	if err == nil && code == http.StatusOK {
		err = json.Unmarshal([]byte(text), &answer)
	}
	if err != nil || code != http.StatusOK {
		e.t.Fatalf("ask etcd member %s who leads: %d %s %v", host, code, text, err)
	}
	return strings.TrimPrefix(answer.Leader, "0")
}

// added lists two more members, which join one after the other.
func (e *etcd) added() {
	w := e.watch("10", "11", "12")
	e.edit("etcd-3: "+e.net+"12 }", "etcd-3: "+e.net+"12, etcd-4: "+e.net+"13, etcd-5: "+e.net+"14 }")
	e.apply()
	e.never(w)
	e.expectMembers("14", "etcd-1", "etcd-2", "etcd-3", "etcd-4", "etcd-5")
	// A restart of each and every one brings the longer list to the clients, too.
	for _, machine := range []string{"node-3", "node-4"} {
		if text := onNode(e.t, e.nodes, machine, "cat", "/etc/patroni/patroni.yml"); !strings.Contains(text, e.net+"14:2379") {
			e.t.Errorf("Patroni on %s does not know the new member", machine)
		}
	}
}

// removed takes a living member off the list. The safeguard keeps it until it is switched off.
func (e *etcd) removed() {
	w := e.watch("10", "11", "12", "13")
	e.edit(", etcd-5: "+e.net+"14 }", " }")
	if r := e.pigsty("apply", "--yes"); r.code != 1 || !strings.Contains(r.out, "dcs_safeguard") {
		e.t.Errorf("apply with the safeguard: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	e.expectMembers("10", "etcd-1", "etcd-2", "etcd-3", "etcd-4", "etcd-5")
	if r := e.pigsty("apply", "--yes", "-e", "dcs_safeguard=false"); r.code != 0 {
		e.t.Errorf("apply without the safeguard: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	e.never(w)
	e.expectMembers("10", "etcd-1", "etcd-2", "etcd-3", "etcd-4")
	left := onNode(e.t, e.nodes, e.machineAt(e.net+"14"), "sh", "-c", "systemctl is-active etcd; systemctl is-enabled etcd; ls /data/etcd /var/lib/pigsty/etcd-root; true")
	if words := strings.Fields(strings.ReplaceAll(left, "/data/etcd:", "")); len(words) != 3 || words[0] == "active" || words[1] != "disabled" || !strings.HasPrefix(words[2], "member.removed-") {
		e.t.Errorf("the removed member leaves on its node: %q", words)
	}
}

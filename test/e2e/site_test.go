//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.yaml.in/yaml/v4"

	"pigsty/internal/controller"
	"pigsty/internal/engine"
	"pigsty/internal/resource"
	"pigsty/internal/sandbox"
)

// packagesFor is what the nodes of conf/sandbox.yml install on the sandbox's release, with other
// parameters given as for a command.
func packagesFor(c *sandbox.Config, extra ...string) []string {
	values := slices.DeleteFunc(slices.Clone(extra), func(word string) bool { return word == "-e" })
	all, err := controller.WantedPackages("../../conf/sandbox.yml", c.Release, values)
	if err != nil {
		panic(err) // the inventory is ours
	}
	return all
}

// withSoftware puts what the platform installs on a node on its disk already, so that suites which are
// not about installing need not wait for it.
func withSoftware(c *sandbox.Config) { c.Layer = packagesFor(c, unwatched...) }

// withWatching is withSoftware for suites that are about what watches.
func withWatching(c *sandbox.Config) { c.Layer = packagesFor(c, "nameserver_enabled=true") }

// withArchive puts the same packages into apt's cache: the product installs them itself, and
// needs no network for it.
func withArchive(c *sandbox.Config) {
	withWatching(c)
	c.Mode = sandbox.LayerDownloaded
}

// unwatched leaves the platform's own services out, as most suites are about something else.
var unwatched = append([]string{"-e", "nginx_enabled=false", "-e", "node_repo_method=none"}, unmonitored...)

// unmonitored leaves out what watches, and keeps the portal and the repository that it serves.
var unmonitored = []string{
	"-e", "prometheus_enabled=false", "-e", "loki_enabled=false", "-e", "grafana_enabled=false",
	"-e", "node_exporter_enabled=false", "-e", "promtail_enabled=false", "-e", "pg_exporter_enabled=false", "-e", "pgbouncer_exporter_enabled=false",
}

// site is an inventory for a sandbox's nodes, worked on with the product's own commands.
type site struct {
	t     *testing.T
	nodes *sandbox.Sandbox
	path  string
	net   string // the first three numbers of the sandbox's addresses, with the dot
	said  *transcript
	extra []string // arguments of every command
}

// transcript is everything that the product has printed.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *transcript) add(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(text)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// in is the site for use in a subtest.
func (s *site) in(t *testing.T) *site {
	c := *s
	c.t = t
	return &c
}

// newSite writes a ready inventory for the sandbox: the addresses and keys are the sandbox's.
func newSite(t *testing.T, s *sandbox.Sandbox, ready string) *site {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../conf", ready))
	if err != nil {
		t.Fatal(err)
	}
	first := s.Nodes()[0].Addr.String()
	site := &site{
		t: t, nodes: s, path: filepath.Join(t.TempDir(), ready),
		net: first[:strings.LastIndex(first, ".")+1], said: &transcript{}, extra: unwatched,
	}
	site.write(strings.NewReplacer(
		"10.10.10.", site.net,
		"/var/lib/pigsty/sandbox/main/id_ed25519", s.KeyPath(),
		"/var/lib/pigsty/sandbox/main/known_hosts", s.KnownHostsPath(),
	).Replace(string(text)))
	return site
}

// trust is TLS that believes the deployment's authority and nobody else.
func (s *site) trust() *tls.Config {
	s.t.Helper()
	pem, err := os.ReadFile(filepath.Join(s.state(), "ca.crt"))
	if err != nil {
		s.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		s.t.Fatal("ca.crt holds no certificate")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func (s *site) read() string {
	s.t.Helper()
	text, err := os.ReadFile(s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *site) write(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// edit replaces one piece of the inventory by another; the piece must be there.
func (s *site) edit(before, after string) {
	s.t.Helper()
	text := s.read()
	if strings.Count(text, before) != 1 {
		s.t.Fatalf("%q is %d times in the inventory, and must be once", before, strings.Count(text, before))
	}
	s.write(strings.Replace(text, before, after, 1))
}

// result is what a command answered.
type result struct {
	out, err string
	code     int
}

// pigsty runs one command of the product on the site's inventory.
func (s *site) pigsty(args ...string) result {
	s.t.Helper()
	return s.pigstyContext(s.t.Context(), args...)
}

func (s *site) pigstyContext(ctx context.Context, args ...string) result {
	s.t.Helper()
	cmd := exec.CommandContext(ctx, binary, slices.Concat(args, []string{"-i", s.path}, s.extra)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatalf("pigsty %s: %v", strings.Join(args, " "), err)
	}
	s.said.add(out.String() + errs.String())
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// must runs a command and ends the test when its exit code is another.
func (s *site) must(code int, args ...string) result {
	s.t.Helper()
	r := s.pigsty(args...)
	if r.code != code {
		s.t.Fatalf("pigsty %s: exit code %d, not %d\n%s%s", strings.Join(args, " "), r.code, code, r.out, r.err)
	}
	return r
}

// plan is what an apply would do, one line a change, sorted: the node's name, the action's
// symbol, the resource, and what it costs, such as
// "pg-test-1 ! unit:pgbouncer.service reload".
func (s *site) plan(args ...string) []string {
	s.t.Helper()
	r := s.pigsty(append([]string{"plan", "--json"}, args...)...)
	var plan engine.Plan
	if err := json.Unmarshal([]byte(r.out), &plan); err != nil || plan.Failed() {
		s.t.Fatalf("plan: exit code %d, %v\n%s%s", r.code, err, r.out, r.err)
	}
	var lines []string
	for _, n := range plan.Nodes {
		for _, c := range n.Changes {
			line := n.Name + " " + c.Change.Action.Symbol() + " " + c.Kind + ":" + c.Name
			if c.Change.Impact != resource.NoImpact {
				line += " " + c.Change.Impact.String()
			}
			lines = append(lines, line)
		}
	}
	if (r.code == 2) != (len(lines) > 0) {
		s.t.Errorf("plan: exit code %d for %d changes", r.code, len(lines))
	}
	slices.Sort(lines)
	return lines
}

// state is the folder where the site's secrets, authority and journal are.
func (s *site) state() string {
	name := filepath.Base(s.path)
	return filepath.Join(filepath.Dir(s.path), ".pigsty", strings.TrimSuffix(name, filepath.Ext(name)))
}

// secrets are the passwords and keys that the product generated, by name.
func (s *site) secrets() map[string]string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.state(), "secrets.yml"))
	if err != nil {
		s.t.Fatal(err)
	}
	var all map[string]string
	if err := yaml.Unmarshal(text, &all); err != nil {
		s.t.Fatal(err)
	}
	return all
}

// dba is the login of the administrator that the product generated, at a node's own PostgreSQL.
func (s *site) dba(host string) login {
	return login{host: host, port: "5432", user: "dbuser_dba", password: s.secrets()["pg_admin_password"], database: "postgres"}
}

// apply makes the nodes what the inventory says and proves that a second plan is empty.
func (s *site) apply(args ...string) result {
	s.t.Helper()
	r := s.pigsty(append([]string{"apply", "--yes"}, args...)...)
	if r.code != 0 {
		s.t.Fatalf("apply: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	s.t.Log(lastLine(r.out))
	s.planIsEmpty()
	return r
}

// planIsEmpty fails the test unless the nodes are as the inventory wants.
func (s *site) planIsEmpty() {
	s.t.Helper()
	if r := s.pigsty("plan"); r.code != 0 {
		s.t.Fatalf("a plan after apply is not empty: exit code %d\n%s%s", r.code, r.out, r.err)
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// login is how a test reaches a database.
type login struct {
	host     string // the last number of the node's address, such as "11"
	port     string
	user     string
	password string
	database string
	sslmode  string // default require; verify-full checks against the site's authority
}

// connect opens a connection and closes it when the test ends.
func (s *site) connect(l login) (*pgx.Conn, error) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.target(l))
	if err != nil {
		return nil, err
	}
	s.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn, nil
}

// balancerPatience bounds the wait for a service that has just come up: HAProxy wants three good
// health checks, the first as late as five seconds after a bad one.
const balancerPatience = 40 * time.Second

// target is the login as a connection string.
func (s *site) target(l login) string {
	if l.sslmode == "" {
		l.sslmode = "require"
	}
	options := "connect_timeout=5&sslmode=" + l.sslmode
	if l.sslmode == "verify-full" {
		options += "&sslrootcert=" + filepath.Join(s.state(), "ca.crt")
	}
	target := url.URL{
		Scheme: "postgres", Host: s.net + l.host + ":" + l.port, Path: l.database,
		User: url.UserPassword(l.user, l.password), RawQuery: options,
	}
	return target.String()
}

// mustConnect opens a connection that has to work.
func (s *site) mustConnect(l login) *pgx.Conn {
	s.t.Helper()
	conn, err := s.connect(l)
	for deadline := time.Now().Add(balancerPatience); err != nil && time.Now().Before(deadline); conn, err = s.connect(l) {
		time.Sleep(500 * time.Millisecond)
	}
	if err != nil {
		s.t.Fatalf("%s at %s%s:%s, database %s, sslmode %s: %v", l.user, s.net, l.host, l.port, l.database, l.sslmode, err)
	}
	return conn
}

// ask is query on a connection of its own, for what is asked again and again.
func (s *site) ask(l login, sql string) (string, error) {
	conn, err := pgx.Connect(s.t.Context(), s.target(l))
	if err != nil {
		return "", err
	}
	defer conn.Close(context.Background())
	var value string
	err = conn.QueryRow(s.t.Context(), sql, pgx.QueryExecModeSimpleProtocol).Scan(&value)
	return value, err
}

// query returns the single text value that a statement gives.
func query(t *testing.T, conn *pgx.Conn, sql string, args ...any) string {
	t.Helper()
	var value string
	// The simple protocol works through a pool in transaction mode.
	if err := conn.QueryRow(t.Context(), sql, append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// hangUp leaves a connection, and does not wait for a server that has gone.
func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	// The server may have gone.
	_ = conn.Close(ctx)
}

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/sandbox"
)

// softwareLayer is what the platform installs on a node, already on its disk, so that suites
// which are not about installing need not wait for it.
var softwareLayer = []string{
	"acl", "chrony", "haproxy", "jq", "kmod", "lsof", "lz4", "patroni", "pgbouncer", "postgresql-17",
	"python3-psycopg2", "rsync", "socat", "sysstat", "tuned", "unzip", "vip-manager2", "etcd-server", "etcd-client",
}

func withSoftware(c *sandbox.Config) { c.Layer = softwareLayer }

// site is an inventory for a sandbox's nodes, worked on with the product's own commands.
type site struct {
	t     *testing.T
	nodes *sandbox.Sandbox
	path  string
	net   string // the first three numbers of the sandbox's addresses, with the dot
}

// newSite writes a ready inventory for the sandbox: the addresses and keys are the sandbox's.
func newSite(t *testing.T, s *sandbox.Sandbox, ready string) *site {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../conf", ready))
	if err != nil {
		t.Fatal(err)
	}
	first := s.Nodes()[0].Addr.String()
	site := &site{t: t, nodes: s, path: filepath.Join(t.TempDir(), ready), net: first[:strings.LastIndex(first, ".")+1]}
	site.write(strings.NewReplacer(
		"10.10.10.", site.net,
		"/var/lib/pigsty/sandbox/main/id_ed25519", s.KeyPath(),
		"/var/lib/pigsty/sandbox/main/known_hosts", s.KnownHostsPath(),
	).Replace(string(text)))
	return site
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
	cmd := exec.CommandContext(ctx, binary, append(args, "-i", s.path)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatalf("pigsty %s: %v", strings.Join(args, " "), err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
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
	sslmode  string // default require
}

// connect opens a connection and closes it when the test ends.
func (s *site) connect(l login) (*pgx.Conn, error) {
	s.t.Helper()
	if l.sslmode == "" {
		l.sslmode = "require"
	}
	target := url.URL{
		Scheme: "postgres", Host: s.net + l.host + ":" + l.port, Path: l.database,
		User: url.UserPassword(l.user, l.password), RawQuery: "connect_timeout=5&sslmode=" + l.sslmode,
	}
	conn, err := pgx.Connect(s.t.Context(), target.String())
	if err != nil {
		return nil, err
	}
	s.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn, nil
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

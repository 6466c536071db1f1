//go:build e2e

// Package e2e runs the product against real nodes. Every test makes a sandbox of its own, so each
// needs its own sandbox name and subnet. Run them as root: go test -tags e2e -v ./test/e2e.
package e2e

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pigsty/internal/sandbox"
)

// binary is the product under test, built before the tests: go build -o bin/pigsty ./cmd/pigsty.
const binary = "../../bin/pigsty"

// startNodes makes a fresh sandbox of that many nodes and removes it at the end of the test. What
// a sandbox of that name left before is removed first. When the test fails, the nodes' logs are
// kept in the test's artifact folder (go test -artifacts).
func startNodes(t *testing.T, name, subnet string, count int, opts ...func(*sandbox.Config)) *sandbox.Sandbox {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("these tests make real nodes and need root")
	}
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("%v: build the product first, at the top of the repository: go build -o bin/pigsty ./cmd/pigsty", err)
	}
	config := sandbox.Config{
		Name: name, Subnet: netip.MustParsePrefix(subnet), Count: count, Binary: binary, Release: sandbox.DefaultRelease,
		Progress: func(msg string) { t.Log(name + ": " + msg) },
	}
	for _, opt := range opts {
		opt(&config)
	}
	if err := sandbox.Down(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeNodes(t, name) })
	began := time.Now()
	s, err := sandbox.Up(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d nodes in %.1f s", name, count, time.Since(began).Seconds())
	return s
}

// removeNodes keeps the logs of a failed test and takes the sandbox down.
func removeNodes(t *testing.T, name string) {
	ctx := context.Background() // the test's own has ended
	if s, err := sandbox.Open(name); err == nil && t.Failed() {
		for _, n := range s.Nodes() {
			saveLogs(t, s, n.Name)
		}
	}
	if err := sandbox.Down(ctx, name); err != nil {
		t.Error(err)
	}
}

func saveLogs(t *testing.T, s *sandbox.Sandbox, node string) {
	path := filepath.Join(t.ArtifactDir(), s.Name()+"-"+node+".log")
	f, err := os.Create(path)
	if err != nil {
		t.Log(err)
		return
	}
	defer f.Close()
	if err := s.Logs(context.Background(), node, 0, f); err != nil {
		t.Log(err)
	}
	t.Logf("logs of %s: %s", node, path)
}

// onNode runs a command on a node and ends the test when it fails. It returns standard output
// without the last line's end.
func onNode(t *testing.T, s *sandbox.Sandbox, node string, argv ...string) string {
	t.Helper()
	out, err := s.Exec(t.Context(), node, nil, argv...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(out, "\n")
}

// reaches reports whether one node gets an answer from another one's sshd within two seconds.
func reaches(t *testing.T, s *sandbox.Sandbox, from string, to netip.Addr) bool {
	t.Helper()
	script := "timeout 2 bash -c 'read -r _ < /dev/tcp/" + to.String() + "/22' && echo yes || echo no"
	return onNode(t, s, from, "sh", "-c", script) == "yes"
}

package pgsql_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A server that is new to a service is down until it has been checked. Those of a new service, those
// that nobody checks and those that follow another server are left to HAProxy.
func TestNewServersAreDownUntilChecked(t *testing.T) {
	const known = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state
3 pg-test-primary 1 pg-test-1 10.10.10.11 2 0 100 100 6 15 3 4 6 0 0 0 - 6432 - 0 8008 - - 0

`
	const config = `listen stats
    bind *:9101
listen pg-test-primary
    server pg-test-1 10.10.10.11:6432 check port 8008 weight 100
    server pg-test-2 10.10.10.12:6432 check port 8008 weight 100
    server pg-test-3 [fd00::13]:6432 check port 8008 weight 100
    server pg-test-2-leader 10.10.10.12:6432 track leader/pg-test-2 weight 100 backup
    server pg-test-4 10.10.10.14:6432 weight 100
listen pg-test-new
    server pg-test-2 10.10.10.12:6432 check port 8008 weight 100
`
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	program := exec.Command("awk", "-f", "templates/etc/haproxy/remember-servers", "-", file)
	program.Stdin = strings.NewReader(known)
	out, err := program.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := strings.TrimSuffix(known, "\n") + `0 pg-test-primary 0 pg-test-2 10.10.10.12 0 0 0 0 0 1 0 0 6 0 0 0 - 6432 - 0 0 - - 0
0 pg-test-primary 0 pg-test-3 fd00::13 0 0 0 0 0 1 0 0 6 0 0 0 - 6432 - 0 0 - - 0
`
	if diff := cmp.Diff(want, string(out)); diff != "" {
		t.Error(diff)
	}
}

package postgres

import (
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
	"golang.org/x/sys/unix"

	"pigsty/internal/resource"
)

var errRefused = error(syscall.ECONNREFUSED)

func TestDialAsShowsTheUserToThePeer(t *testing.T) {
	// Without a path in the file system, so that the other user needs no rights there.
	const address = "@pigsty-dial-test"
	l, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	uid := os.Geteuid()
	if uid == 0 {
		uid = 65534 // nobody
	}
	conn, err := dialAs(t.Context(), uid, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	file, err := peer.(*net.UnixConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cred, err := unix.GetsockoptUcred(int(file.Fd()), unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		t.Fatal(err)
	}
	if int(cred.Uid) != uid {
		t.Errorf("the peer sees user %d, want %d", cred.Uid, uid)
	}
	if os.Geteuid() != 0 && uid == 65534 {
		t.Error("the process did not become root again")
	}
}

func TestSessionIsKeptAndReopened(t *testing.T) {
	server := &fakeServer{}
	h := server.host(t)
	var conn Conn
	first, err := conn.session(t.Context(), h, "postgres")
	if err != nil {
		t.Fatal(err)
	}
	again, err := conn.session(t.Context(), h, "postgres")
	if err != nil || again.Conn != first.Conn || server.opened != 1 {
		t.Errorf("opened %d times, %v", server.opened, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := conn.session(t.Context(), h, "postgres"); err != nil || s.Conn == first.Conn || server.opened != 2 {
		t.Errorf("opened %d times after a cut, %v", server.opened, err)
	}
	conn.leave(h, "postgres")
	server.down = true
	if _, err := conn.session(t.Context(), h, "postgres"); !errors.Is(err, errNoServer) {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestMissingUserMeansNoServer(t *testing.T) {
	_, err := Conn{User: "no-such-user"}.open(t.Context(), &resource.Host{Root: t.TempDir()}, "postgres")
	if !errors.Is(err, errNoServer) {
		t.Error(err)
	}
}

func TestEditsRunInTransactions(t *testing.T) {
	server := &fakeServer{}
	s, err := Conn{}.session(t.Context(), server.host(t), "postgres")
	if err != nil {
		t.Fatal(err)
	}
	err = s.run(t.Context(), "test", []edit{
		{SQL: []string{"CREATE DATABASE a"}, Alone: true},
		{SQL: []string{"ONE"}},
		{SQL: []string{"TWO", "THREE"}},
		{SQL: []string{"MOVE"}, Alone: true},
		{SQL: []string{"FOUR"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"SET statement_timeout = 0", "CREATE DATABASE a", "RESET statement_timeout",
		"begin", "ONE", "TWO", "THREE", "commit",
		"SET statement_timeout = 0", "MOVE", "RESET statement_timeout",
		"begin", "FOUR", "commit",
	}
	if d := cmp.Diff(want, server.taken()); d != "" {
		t.Error(d)
	}
}

func TestPasswordsAreSentInSilence(t *testing.T) {
	server := &fakeServer{}
	s, err := Conn{}.session(t.Context(), server.host(t), "postgres")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.run(t.Context(), "test", diffRole(&Role{Role: "app", Verifier: scramForTest}, nil, 17, noonForTest)); err != nil {
		t.Fatal(err)
	}
	seen := server.taken()
	password := slices.IndexFunc(seen, func(sql string) bool { return strings.Contains(sql, "PASSWORD") })
	for _, quiet := range silence {
		if n := slices.Index(seen, quiet); n < 0 || n > password {
			t.Errorf("%s is at %d, the password at %d", quiet, n, password)
		}
	}
	if seen[0] != "begin" || seen[len(seen)-1] != "commit" {
		t.Errorf("%q", seen)
	}
}

func TestFailedEditsAreRolledBack(t *testing.T) {
	server := &fakeServer{fail: map[string]pgproto3.ErrorResponse{
		"PASSWORD": {Severity: "ERROR", Code: stateReadOnly, Message: "cannot execute ALTER ROLE in a read-only transaction"},
	}}
	s, err := Conn{}.session(t.Context(), server.host(t), "postgres")
	if err != nil {
		t.Fatal(err)
	}
	err = s.run(t.Context(), "set up role app", diffRole(&Role{Role: "app", Verifier: scramForTest}, nil, 17, noonForTest))
	var told *Error
	if !errors.As(err, &told) || told.Code != stateReadOnly {
		t.Fatal(err)
	}
	want := "set up role app: cannot execute ALTER ROLE in a read-only transaction (SQLSTATE 25006); this server is not the primary, perhaps since a moment ago: run it again"
	if err.Error() != want {
		t.Errorf("%s\nwant %s", err, want)
	}
	if seen := server.taken(); seen[len(seen)-1] != "rollback" || strings.Contains(err.Error(), "SCRAM") {
		t.Errorf("%q", seen)
	}
}

func TestServerErrorsAreExplained(t *testing.T) {
	for _, c := range []struct {
		e    pgproto3.ErrorResponse
		want string
	}{
		{
			pgproto3.ErrorResponse{Code: stateDependents, Message: "role cannot be dropped", Detail: "owner of a\nowner of b", Hint: "Drop them."},
			"test: role cannot be dropped. owner of a; owner of b. Drop them (SQLSTATE 2BP01); remove or reassign what depends on it first",
		},
		{
			pgproto3.ErrorResponse{Code: stateNotSupported, Message: `extension "x" is not available`},
			`test: extension "x" is not available (SQLSTATE 0A000); its package is not installed: add it to pg_extensions`,
		},
		{pgproto3.ErrorResponse{Code: "42704", Message: `role "x" does not exist`}, `test: role "x" does not exist (SQLSTATE 42704)`},
	} {
		c.e.Severity = "ERROR"
		server := &fakeServer{fail: map[string]pgproto3.ErrorResponse{"TRY": c.e}}
		s, err := Conn{}.session(t.Context(), server.host(t), "postgres")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.run(t.Context(), "test", []edit{{SQL: []string{"TRY"}}}); err == nil || err.Error() != c.want {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
}

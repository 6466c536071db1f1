package haproxy

import (
	"bufio"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stat is an answer of HAProxy 3.0 to "show stat", with the columns that matter.
const stat = `# pxname,svname,scur,status,weight,bck,lastchg,check_status,check_code,
stats,FRONTEND,0,OPEN,,,,,,
pg-test-primary,pg-test-1,3,UP 1/3,100,0,27,L7OK,200,
pg-test-primary,pg-test-2,0,DOWN,100,0,26,* L7STS,503,
pg-test-replica,pg-test-1,0,DRAIN,100,1,27,* L7OK,0,
pg-test-primary,BACKEND,3,UP,100,0,27,,,

`

// listen is a HAProxy that answers each question by a function.
func listen(t *testing.T, answer func(question string) string) Admin {
	socket := filepath.Join(t.TempDir(), "admin.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err == nil {
				_, err = conn.Write([]byte(answer(strings.TrimSpace(line))))
			}
			if closing := conn.Close(); err != nil || closing != nil {
				t.Errorf("HAProxy: %v, %v", err, closing)
			}
		}
	}()
	return Admin(socket)
}

func TestServers(t *testing.T) {
	got, err := listen(t, func(string) string { return stat }).Servers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Server{
		{Backend: "pg-test-primary", Name: "pg-test-1", Status: "up 1/3", Weight: 100, Sessions: 3, Check: "L7OK 200", Since: 27},
		{Backend: "pg-test-primary", Name: "pg-test-2", Status: "down", Weight: 100, Check: "L7STS 503", Since: 26},
		{Backend: "pg-test-replica", Name: "pg-test-1", Status: "drain", Backup: true, Weight: 100, Check: "L7OK", Since: 27},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !got[0].Up() || got[1].Up() || got[2].Up() {
		t.Errorf("up: %v, %v, %v", got[0].Up(), got[1].Up(), got[2].Up())
	}
	if _, err := listen(t, func(string) string { return "" }).Servers(t.Context()); err == nil {
		t.Error("no answer is taken for one")
	}
	if _, err := Admin(filepath.Join(t.TempDir(), "none")).Servers(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("nobody there: %v", err)
	}
}

// HAProxy's silence is consent, and a server that a backend does not have is no matter.
func TestOrders(t *testing.T) {
	seen := make(chan string, 10)
	admin := listen(t, func(order string) string {
		seen <- order
		switch {
		case strings.Contains(order, "pg-test-9"):
			return "No such server.\n\n"
		case order == "refuse":
			return "Require 'backend/server'.\n"
		}
		return "\n"
	})
	orders := []string{"disable health b/s", "disable health b/pg-test-9", "enable health b/s"}
	if err := admin.Say(t.Context(), orders...); err != nil {
		t.Error(err)
	}
	for _, order := range orders {
		if got := <-seen; got != order {
			t.Errorf("%q was said, and not %q", got, order)
		}
	}
	if err := admin.Say(t.Context(), "refuse"); err == nil || !strings.Contains(err.Error(), "Require 'backend/server'") {
		t.Errorf("error %v", err)
	}
}

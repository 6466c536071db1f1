package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// agentText is a program that stands for the agent: it says who it is, then what it is told.
const agentText = "#!/bin/sh\necho \"agent $1\"\nexec cat\n"

// node is a folder that stands for a node: programs of ours come first in its PATH, and its
// agent's folder is below it. ssh runs the last argument here, as the login the test chooses.
type node struct {
	*launcher
	t    *testing.T
	dir  string
	path string // folder of programs
}

func newNode(t *testing.T, local bool) *node {
	t.Helper()
	dir := t.TempDir()
	n := &node{t: t, dir: dir, path: filepath.Join(dir, "bin")}
	if err := os.Mkdir(n.path, 0o755); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "pigsty")
	if err := os.WriteFile(own, []byte(agentText), 0o755); err != nil {
		t.Fatal(err)
	}
	binary, err := newBinary(own)
	if err != nil {
		t.Fatal(err)
	}
	n.launcher = &launcher{
		target: Target{Host: "pg-1", Local: local}, controlDir: dir, agentDir: filepath.Join(dir, "agent"),
		binary: binary,
	}
	n.program("ssh", `for last; do :; done; echo "$@" >>`+dir+`/ssh.log; exec sh -c "$last"`)
	n.program("sudo", `printf "%s\n" "$*" >>`+dir+`/sudo.log; shift; exec "$@"`)
	n.login(0)
	t.Setenv("PATH", n.path+":"+os.Getenv("PATH"))
	return n
}

// program puts a shell script among the node's programs.
func (n *node) program(name, script string) {
	n.t.Helper()
	if err := os.WriteFile(filepath.Join(n.path, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		n.t.Fatal(err)
	}
}

// login makes the node's user the one of the number.
func (n *node) login(uid int) {
	n.program("id", "echo "+string(rune('0'+uid)))
}

func (n *node) log(name string) string {
	text, err := os.ReadFile(filepath.Join(n.dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		n.t.Fatal(err)
	}
	return string(text)
}

// installed are the files of the agent's folder.
func (n *node) installed() []string {
	entries, err := os.ReadDir(n.agentDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		n.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// greet dials the node and has the agent say its first line and repeat another.
func (n *node) greet() error {
	s, err := n.dial(context.Background())
	if err != nil {
		return err
	}
	r := bufio.NewReader(s)
	first, err1 := r.ReadString('\n')
	_, err2 := s.Write([]byte("echo\n"))
	second, err3 := r.ReadString('\n')
	if first != "agent agent\n" || second != "echo\n" {
		err = errors.New("the agent says " + first + second)
	}
	return errors.Join(err, err1, err2, err3, s.Close())
}

func TestAgentIsInstalledOnceAndStarted(t *testing.T) {
	for name, c := range map[string]struct {
		local bool
		uid   int
	}{
		"root over ssh": {false, 0}, "user over ssh": {false, 1}, "root here": {true, 0}, "user here": {true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, c.local)
			n.login(c.uid)
			for range 2 {
				if err := n.greet(); err != nil {
					t.Fatal(err)
				}
			}
			if got := n.installed(); len(got) != 1 || got[0] != "pigsty-"+n.binary.Hash() {
				t.Errorf("agent's folder holds %q", got)
			}
			// Start, install and start again; then start alone.
			if got := strings.Count(n.log("ssh.log"), "BatchMode"); got != map[bool]int{true: 0, false: 4}[c.local] {
				t.Errorf("ssh was called %d times", got)
			}
			sudo := n.log("sudo.log")
			if got := strings.Count(sudo, "-n sh -c"); got != c.uid*4 {
				t.Errorf("sudo was called %d times:\n%s", got, sudo)
			}
		})
	}
}

func TestNoiseBeforeTheAgentIsPassedOver(t *testing.T) {
	n := newNode(t, false)
	n.program("ssh", `echo Welcome to pg-1; for last; do :; done; exec sh -c "$last"`)
	if err := n.greet(); err != nil {
		t.Error(err)
	}
}

// Controllers that install the same agent at the same time must not spoil each other's.
func TestInstallersRace(t *testing.T) {
	n := newNode(t, false)
	errs := make(chan error)
	for range 8 {
		go func() { errs <- n.greet() }()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := n.installed(); len(got) != 1 {
		t.Errorf("agent's folder holds %q", got)
	}
}

// An installation that breaks off leaves no agent, and the next one is not disturbed by it.
func TestBrokenInstallation(t *testing.T) {
	for name, c := range map[string]struct{ program, script, want string }{
		"stream is cut":      {"gzip", `head -c 9 >/dev/null; echo "#!/bin/sh"; echo "gzip: stdin: unexpected end of file" >&2; exit 1`, "unexpected end of file"},
		"disk is full":       {"gzip", `echo "gzip: stdout: No space left on device" >&2; exit 1`, "No space left on device"},
		"cannot be synced":   {"sync", `echo "sync: Input/output error" >&2; exit 1`, "Input/output error"},
		"killed half-way in": {"gzip", `echo "#!/bin/sh"; kill -9 $PPID`, "put the agent into"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, false)
			n.program(c.program, c.script)
			err := n.greet()
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "pg-1") || strings.Contains(err.Error(), "cannot reach") {
				t.Errorf("%v", err)
			}
			for _, left := range n.installed() {
				if left == "pigsty-"+n.binary.Hash() {
					t.Error("there is an agent that is not whole")
				}
			}
			if err := os.Remove(filepath.Join(n.path, c.program)); err != nil {
				t.Fatal(err)
			}
			if err := n.greet(); err != nil {
				t.Errorf("the next installation: %v", err)
			}
		})
	}
}

func TestOldAgentsAreRemoved(t *testing.T) {
	n := newNode(t, false)
	if err := os.MkdirAll(n.agentDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]string{"pigsty-old": "40 days ago", "pigsty-recent": "2 days ago", "pigsty-dead.77": "40 days ago"} {
		if out, err := exec.Command("touch", "-d", age, filepath.Join(n.agentDir, name)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if err := n.greet(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(n.installed(), " "); strings.Contains(got, "old") || strings.Contains(got, "dead") || !strings.Contains(got, "recent") {
		t.Errorf("agent's folder holds %s", got)
	}
}

func TestUnreachable(t *testing.T) {
	for name, c := range map[string]struct{ program, script, want string }{
		"ssh refuses":        {"ssh", `echo "ssh: connect to host pg-1 port 22: Connection refused" >&2; exit 255`, "Connection refused"},
		"sudo asks":          {"sudo", `echo "sudo: a password is required" >&2; exit 1`, "a password is required"},
		"says other things":  {"ssh", `echo "This account is not available"; exit 1`, "This account is not available"},
		"says nothing":       {"ssh", `exit 3`, "exit status 3"},
		"other architecture": {"uname", `echo riscv64`, "the node is riscv64"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, false)
			n.target.User, n.target.Port = "admin", 2222
			n.login(1)
			n.program(c.program, c.script)
			err := n.greet()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v", err)
			}
			e, ok := errors.AsType[*UnreachableError](err)
			if !ok && c.program != "uname" || ok && e.Try != "ssh -p 2222 -l admin pg-1 sudo -n true" {
				t.Errorf("%#v", err)
			}
		})
	}
}

// A node that was restarted has left a kept connection behind; that costs an attempt, not the run.
func TestBrokenConnectionIsMadeAnew(t *testing.T) {
	for name, c := range map[string]struct {
		said  string
		fails int // the call of ssh from which on it fails
		times int // how many of them do
		calls int
		want  string
	}{
		"the kept one is dead":        {"Failed to connect to new control master", 1, 1, 4, ""},
		"it dies while installing":    {"mux_client_request_session: read from master failed: Broken pipe", 2, 1, 5, ""},
		"the node is off":             {"connect to host pg-1 port 22: Connection refused", 1, 9, 2, "Connection refused"},
		"the login is refused":        {"debian@pg-1: Permission denied (publickey).", 1, 9, 1, "Permission denied"},
		"it is broken time and again": {"Connection reset by peer", 2, 9, 3, "Connection reset"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, false)
			n.program("ssh", fmt.Sprintf(`for last; do :; done; echo call >>%[1]s/calls; calls=$(wc -l <%[1]s/calls)
if [ $calls -ge %[2]d ] && [ $calls -lt %[3]d ]; then echo "%[4]s" >&2; exit 255; fi
exec sh -c "$last"`, n.dir, c.fails, c.fails+c.times, c.said))
			err := n.greet()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v", err)
			}
			if got := strings.Count(n.log("calls"), "call"); got != c.calls {
				t.Errorf("ssh was called %d times, not %d", got, c.calls)
			}
			if _, ok := errors.AsType[*UnreachableError](err); c.want != "" && !ok {
				t.Errorf("%#v", err)
			}
		})
	}
}

// A person who gives up must not wait for a node that never answers.
func TestDialIsGivenUp(t *testing.T) {
	n := newNode(t, false)
	up := filepath.Join(n.dir, "up")
	if err := syscall.Mkfifo(up, 0o600); err != nil {
		t.Fatal(err)
	}
	n.program("ssh", `echo up >`+up+`; exec sleep 1000`)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = os.ReadFile(up) // ends when ssh has written
		cancel()
	}()
	if _, err := n.dial(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// asking is a sudo that wants the password, as the real one does: by the prompt on its error
// stream, and a byte at a time from its input.
func (n *node) asking(password string) {
	n.program("sudo", `printf "%s\n" "$*" >>`+n.dir+`/sudo.log
[ "$1" = -S ] || { echo "sudo: a password is required" >&2; exit 1; }
for try in 1 2 3; do
	printf "%s" "$3" >&2
	IFS= read -r answer || { echo "sudo: no password was provided" >&2; exit 1; }
	if [ "$answer" = "`+password+`" ]; then shift 3; exec "$@"; fi
	echo "Sorry, try again." >&2
done
exit 1`)
}

// The password reaches sudo by its input and by nothing that others can see, and what follows
// it is the agent's.
func TestSudoPassword(t *testing.T) {
	n := newNode(t, false)
	n.login(1)
	n.target.SudoPassword = "open sesame"
	n.asking("open sesame")
	for range 2 {
		if err := n.greet(); err != nil {
			t.Fatal(err)
		}
	}
	if logs := n.log("sudo.log") + n.log("ssh.log"); strings.Contains(logs, "sesame") || !strings.Contains(logs, "-S -p "+sudoPrompt) {
		t.Errorf("commands:\n%s", logs)
	}
}

// A sudo that asks for nothing, and a login that is root, leave the password unsaid: it must
// not end in the agent's stream.
func TestSudoPasswordThatNobodyAsksFor(t *testing.T) {
	for _, uid := range []int{0, 1} {
		n := newNode(t, false)
		n.login(uid)
		n.target.SudoPassword = "open sesame"
		n.program("sudo", `shift 3; exec "$@"`)
		for range 2 {
			if err := n.greet(); err != nil {
				t.Errorf("number %d: %v", uid, err)
			}
		}
	}
}

func TestWrongSudoPassword(t *testing.T) {
	n := newNode(t, false)
	n.login(1)
	n.target.SudoPassword = "abracadabra"
	n.asking("open sesame")
	err := n.greet()
	if err == nil || !strings.Contains(err.Error(), "sudo does not accept ansible_become_password") || strings.Contains(err.Error(), "abracadabra") || strings.Contains(err.Error(), sudoPrompt) {
		t.Errorf("%v", err)
	}
}

func TestWithoutSudo(t *testing.T) {
	n := newNode(t, false)
	n.target.NoSudo = true
	if err := n.greet(); err != nil {
		t.Errorf("as root: %v", err)
	}
	n.program("id", `[ "$1" = -u ] && echo 1000 || echo ann`)
	err := n.greet()
	if err == nil || !strings.Contains(err.Error(), "the login on pg-1 is ann, which is not root, and ansible_become is false") {
		t.Errorf("as another: %v", err)
	}
	if n.log("sudo.log") != "" {
		t.Error("sudo was called")
	}
}

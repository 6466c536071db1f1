package remote

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// runs gives what a program writes that is run on the node with that input.
func (n *node) runs(input string, p Program) (out, errs string, err error) {
	n.t.Helper()
	var o, e strings.Builder
	err = Run(n.t.Context(), n.target, n.dir, p, Streams{strings.NewReader(input), &o, &e})
	return o.String(), e.String(), err
}

// Arguments arrive as they are through ssh, sudo and three shells, and input is the program's, on
// each way to root; a password is seen by nobody.
func TestRun(t *testing.T) {
	hostile := []string{"a b", "it's", `"$HOME"`, "`id`", "$(id)", "", "-x", "é\n;"}
	for name, c := range map[string]struct {
		uid    int
		target Target
		sudo   string
	}{
		"root":                       {uid: 0, target: Target{Host: "pg-1"}},
		"here":                       {uid: 0, target: Target{Local: true}},
		"sudo":                       {uid: 1, target: Target{Host: "pg-1", User: "dba"}},
		"sudo asks":                  {uid: 1, target: Target{Host: "pg-1", SudoPassword: "open sesame"}, sudo: "asks"},
		"sudo need not ask":          {uid: 1, target: Target{Host: "pg-1", SudoPassword: "open sesame"}},
		"root with a password given": {uid: 0, target: Target{Host: "pg-1", SudoPassword: "open sesame"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, false)
			n.target = c.target
			n.login(c.uid)
			n.program("setpriv", `printf "%s " "$@" >>`+n.dir+`/setpriv.log; while [ "$1" != -- ]; do shift; done; shift; exec "$@"`)
			if c.sudo == "asks" {
				n.asking("open sesame")
			}
			p := Program{User: "post'gres", Argv: append([]string{"sh", "-c", `cat; printf "<%s>" "$@"; echo ill >&2; exit 3`, "sh"}, hostile...)}
			out, errs, err := n.runs("select 1;\n", p)
			want := "select 1;\n<" + strings.Join(hostile, "><") + ">"
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 3 || out != want || errs != "ill\n" {
				t.Errorf("%v\n%q, want\n%q\n%q", err, out, want, errs)
			}
			if logs := n.log("ssh.log") + n.log("sudo.log"); strings.Contains(logs, "sesame") {
				t.Errorf("the password is in an argument:\n%s", logs)
			}
			if used := n.log("setpriv.log"); !strings.Contains(used, "--reuid=post'gres ") {
				t.Errorf("%s", used)
			}
		})
	}
}

func TestRunOnATerminal(t *testing.T) {
	n := newNode(t, false)
	for terminal, want := range map[bool]string{false: " -T ", true: " -t "} {
		cmd := n.launcher.program(t.Context(), Program{User: "postgres", Argv: []string{"psql"}, Terminal: terminal})
		if got := strings.Join(cmd.Args, " "); !strings.Contains(got, want) {
			t.Errorf("terminal %v: %s", terminal, got)
		}
	}
}

func TestRunFails(t *testing.T) {
	n := newNode(t, false)
	p := Program{User: "postgres", Argv: []string{"true"}}
	n.target.NoSudo = true
	n.login(1)
	if _, errs, err := n.runs("", p); err == nil || !strings.Contains(errs, "which is not root, and ansible_become is false") {
		t.Errorf("%v: %s", err, errs)
	}
	n.program("ssh", `echo "Connection refused" >&2; exit 255`)
	_, errs, err := n.runs("", p)
	if _, ok := errors.AsType[*UnreachableError](err); !ok || !strings.Contains(errs, "refused") {
		t.Errorf("%v: %s", err, errs)
	}
}

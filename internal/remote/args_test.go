package remote

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestSplitArgs(t *testing.T) {
	for in, want := range map[string][]string{
		"":                        nil,
		"   ":                     nil,
		"-o A=b":                  {"-o", "A=b"},
		" -o\t'A=b c'  -v ":       {"-o", "A=b c", "-v"},
		`-o "ProxyJump=a b"c`:     {"-o", "ProxyJump=a bc"},
		`'' ""`:                   {"", ""},
		`-o ProxyCommand="x 'y'"`: {"-o", "ProxyCommand=x 'y'"},
		`a 'never closed b`:       {"a", "never closed b"},
	} {
		if got := splitArgs(in); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSSHArguments(t *testing.T) {
	always := []string{
		"-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=4",
		"-o", "ControlMaster=auto", "-o", "ControlPersist=300s", "-o", "ControlPath=/c/%C", "-T",
	}
	for _, c := range []struct {
		target Target
		want   []string
	}{
		{Target{Host: "pg-1"}, []string{"pg-1"}},
		{
			Target{Host: "10.0.0.1", Port: 2222, User: "dba", KeyFile: "/k e y", CommonArgs: "-J 'jump host'"},
			[]string{"-p", "2222", "-l", "dba", "-i", "/k e y", "-J", "jump host", "10.0.0.1"},
		},
	} {
		l := launcher{target: c.target, controlDir: "/c"}
		if got := l.sshArgs(); !slices.Equal(got, append(slices.Clone(always), c.want...)) {
			t.Errorf("%+v: %q", c.target, got)
		}
	}
}

// What nodes run must be good for the shell that Debian has as sh, on either way to root.
func TestScriptsAreShell(t *testing.T) {
	l := launcher{binary: &Binary{hash: "0123456789abcdef"}, agentDir: agentDir}
	for _, script := range []string{l.startScript(), l.installScript()} {
		if strings.Contains(script, "'") {
			t.Errorf("a single quote would end the quoting: %s", script)
		}
		for _, target := range []Target{{}, {NoSudo: true}, {SudoPassword: "p"}} {
			l.target = target
			for _, text := range []string{script, l.asRoot(script)} {
				if out, err := exec.Command("dash", "-n", "-c", text).CombinedOutput(); err != nil {
					t.Errorf("%s: %v: %s", text, err, out)
				}
			}
		}
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var e tail
	e.keep(strings.Repeat("x", tailSize))
	if _, err := e.Write([]byte("  a \r\n\n b\n")); err != nil {
		t.Fatal(err)
	}
	if got := e.String(); len(got) > tailSize || !strings.HasSuffix(got, "a; b") {
		t.Errorf("%d bytes that end in %q", len(got), got[len(got)-5:])
	}
}

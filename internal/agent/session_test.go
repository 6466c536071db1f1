package agent_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"pigsty/internal/agent"
	"pigsty/internal/fact"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

// connect opens a session to an agent on the host.
func connect(t *testing.T, h *resource.Host, signer agent.Signer) *agent.Session {
	t.Helper()
	s, err := agent.NewSession(agent.InProcess(h), signer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func steps(resources ...resource.Resource) []resource.Step {
	var all []resource.Step
	for _, r := range resources {
		all = append(all, resource.Step{Node: "n", Module: "m", Resource: r})
	}
	return all
}

func file(path, content string) *resource.File { return &resource.File{Path: path, Content: content} }

// apply carries the steps out and gives what was told, as "started 0", "changed 0" …
func apply(t *testing.T, s *agent.Session, steps []resource.Step) (told []string, last map[int]resource.Outcome) {
	t.Helper()
	last = map[int]resource.Outcome{}
	err := s.Apply(t.Context(), steps, func(o resource.Outcome) {
		told = append(told, string(o.Status)+" "+resource.ID(steps[o.Index].Resource))
		last[o.Index] = o
	})
	if err != nil {
		t.Fatal(err)
	}
	return told, last
}

func TestFacts(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	if err := simulate.Rename(h.Root, "pg-1", "eth0 10.0.0.1/24"); err != nil {
		t.Fatal(err)
	}
	n, err := connect(t, h, nil).Facts(t.Context(), fact.Query{DataDir: "/"})
	if err != nil || n.Hostname != "pg-1" || n.OS != "debian" || len(n.Addresses) != 1 {
		t.Errorf("%+v, %v", n, err)
	}
}

func TestDiffTellsOnlyWhatDiffers(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	all := steps(file("/etc/hosts", "127.0.0.1 localhost\n"), file("/etc/new", "x\n"), file("/etc", "x"), file("/etc/crontab", "other\n"))
	told, err := connect(t, h, nil).Diff(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	if len(told) != 3 {
		t.Fatalf("%+v, want steps 1 to 3 alone: step 0 is in order", told)
	}
	if o := told[0]; o.Index != 1 || o.Status != resource.Pending || o.Change.Action != resource.Create {
		t.Errorf("a file that is missing: %+v", o)
	}
	if o := told[1]; o.Index != 2 || o.Status != resource.Failed || !strings.Contains(o.Error, "/etc is a directory") {
		t.Errorf("a folder in a file's place: %+v", o)
	}
	if o := told[2]; o.Index != 3 || o.Change.Action != resource.Update || !strings.Contains(o.Change.Diff, "+other") {
		t.Errorf("a file that differs: %+v", o)
	}
	if _, err := os.Stat(h.Path("/etc/new")); err == nil {
		t.Error("a diff wrote a file")
	}
}

func TestApplyTellsOfEveryStepAndIsDoneOnce(t *testing.T) {
	s := connect(t, simulate.NewHost(t.TempDir()), nil)
	all := steps(file("/etc/hosts", "127.0.0.1 localhost\n"), file("/etc/new", "x\n"))
	want := []string{"ok file:/etc/hosts", "started file:/etc/new", "changed file:/etc/new"}
	if told, _ := apply(t, s, all); !slices.Equal(told, want) {
		t.Errorf("first run told %q, want %q", told, want)
	}
	if told, _ := apply(t, s, all); !slices.Equal(told, []string{"ok file:/etc/hosts", "ok file:/etc/new"}) {
		t.Errorf("second run told %q, want nothing but ok", told)
	}
}

func TestFailedStepStopsTrunkOrItsBranch(t *testing.T) {
	s := connect(t, simulate.NewHost(t.TempDir()), nil)
	all := steps(file("/a", ""), file("/etc", "side"), file("/b", ""), file("/c", ""), file("/run", "trunk"), file("/d", ""))
	all[1].Branch, all[2].Branch = "side", "side"
	_, last := apply(t, s, all)
	for i, want := range []string{
		"changed", "failed", "skipped: file:/etc failed before it", "changed", "failed", "skipped: file:/run failed before it",
	} {
		got := string(last[i].Status)
		if last[i].Status == resource.Skipped {
			got += ": " + last[i].Error
		}
		if got != want {
			t.Errorf("step %d: %s, want %s", i, got, want)
		}
	}
}

// A look tells the node's notes with the first step, a run each with its own.
func TestNotesComeAlong(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	if err := os.MkdirAll(h.Path("/srv/old/data"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := connect(t, h, nil)
	all := steps(file("/etc/hosts", "127.0.0.1 localhost\n"), &resource.Directory{Path: "/srv/old", Absent: true})
	told, err := s.Diff(t.Context(), all)
	if err != nil || len(told) != 1 || len(told[0].Notes) != 1 || told[0].Change != nil {
		t.Fatalf("%+v, %v: want one note and nothing else", told, err)
	}
	if _, last := apply(t, s, all); len(last[0].Notes) != 0 || !slices.Equal(last[1].Notes, told[0].Notes) {
		t.Errorf("applied: %+v", last)
	}
}

func TestGarbageForAnAgent(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":        "",
		"a shell":        "-bash: pigsty: command not found\n",
		"another answer": "\x00\x00\x00\x10{\"op\":\"result\" }",
	} {
		near, far := net.Pipe()
		go func() {
			_, _ = io.WriteString(far, text)
			far.Close()
		}()
		if _, err := agent.NewSession(near, nil); err == nil || !strings.Contains(err.Error(), "no agent answers") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An agent that answers for steps it was not given must not take the controller down.
func TestNonsenseFromAgent(t *testing.T) {
	s := scripted(t, []string{`{"id":1,"op":"result"}` + "\n" + `[{"index":7,"status":"pending"}]`},
		[]string{`{"id":2,"op":"event"}` + "\n" + `{"index":-1,"status":"changed"}`, `{"id":9,"op":"result"}`, `{"id":2,"op":"result"}`})
	if _, err := s.Diff(t.Context(), steps(file("/x", ""))); err == nil || !strings.Contains(err.Error(), "step 7 of 1") {
		t.Errorf("diff: %v", err)
	}
	if told, _ := apply(t, s, steps(file("/x", ""))); told != nil {
		t.Errorf("apply told %q", told)
	}
}

func TestUnknownKindIsRefusedByName(t *testing.T) {
	s := connect(t, simulate.NewHost(t.TempDir()), nil)
	err := s.Apply(t.Context(), steps(unknown{}), func(resource.Outcome) { t.Error("something was done") })
	if err == nil || !strings.Contains(err.Error(), `"unknown" is not known to this agent`) {
		t.Errorf("%v", err)
	}
}

// unknown is a resource that only a newer controller has.
type unknown struct{}

func (unknown) Kind() string { return "unknown" }
func (unknown) Name() string { return "x" }

func (unknown) Diff(context.Context, *resource.Host) (*resource.Change, error) { return nil, nil }
func (unknown) Apply(context.Context, *resource.Host) error                    { return nil }

// authority signs everything with a word, or refuses.
type authority struct{ refuse error }

func (a authority) Sign(r pki.Request) ([]byte, error) {
	return []byte("signed for " + r.Leaf.CommonName), a.refuse
}

func TestSignRoundTrip(t *testing.T) {
	ca, err := pki.Create(t.TempDir(), "/CN=test")
	if err != nil {
		t.Fatal(err)
	}
	h := simulate.NewHost(t.TempDir())
	s := connect(t, h, ca)
	all := steps(&resource.Certificate{
		Path: "/etc/x.crt", KeyPath: "/etc/x.key", CA: ca.CertPEM(), Leaf: pki.Leaf{CommonName: "pg-1", DNSNames: []string{"pg-1"}, Days: 90},
	})
	for _, want := range []resource.Status{resource.Changed, resource.InOrder} {
		if _, last := apply(t, s, all); last[0].Status != want {
			t.Errorf("%+v, want %s", last[0], want)
		}
	}
	key, err := os.Stat(h.Path("/etc/x.key"))
	if err != nil || key.Mode().Perm() != 0o600 {
		t.Errorf("private key: %v, %v", key, err)
	}
}

func TestRefusedSignatureFailsTheStep(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	s := connect(t, h, authority{errors.New("the authority has expired")})
	_, last := apply(t, s, steps(&resource.Certificate{Path: "/etc/x.crt", KeyPath: "/etc/x.key", Leaf: pki.Leaf{CommonName: "pg-1", Days: 90}}))
	if last[0].Status != resource.Failed || !strings.Contains(last[0].Error, "the authority has expired") {
		t.Errorf("%+v", last[0])
	}
}

// A node gets certificates that its steps ask for, and no other: whoever breaks into one must
// not get a name of another.
func TestNodeCannotHaveOtherCertificates(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	s := connect(t, h, authority{})
	own := pki.Leaf{CommonName: "pg-1", Days: 90}
	certificate := &resource.Certificate{Path: "/etc/x.crt", KeyPath: "/etc/x.key", Leaf: own}
	for _, c := range []struct {
		leaf pki.Leaf
		ok   bool
	}{
		{own, true},
		{pki.Leaf{CommonName: "root", Days: 90}, false},
		{pki.Leaf{CommonName: "pg-1", DNSNames: []string{"pg-2"}, Days: 90}, false},
		{pki.Leaf{CommonName: "pg-1", Days: 9000}, false},
	} {
		// The simulated systemd asks, in the middle of the batch, as an intruder's agent could.
		var got error
		h.Systemd.(*simulate.Systemd).Fail = func(string, string) error {
			_, got = h.Sign(t.Context(), pki.Request{Leaf: c.leaf})
			return errors.New("enough")
		}
		apply(t, s, steps(&resource.Unit{Unit: "ssh.service", Stopped: true}, certificate))
		if (got == nil) != c.ok {
			t.Errorf("%+v: %v", c.leaf, got)
		}
	}
}

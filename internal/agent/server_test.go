package agent_test

import (
	"context"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pigsty/internal/agent"
	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

// served is a session to an agent whose end can be waited for.
type served struct {
	*agent.Session
	ended chan error
}

func serve(t *testing.T, h *resource.Host, signer agent.Signer) served {
	t.Helper()
	near, far := net.Pipe()
	s := served{ended: make(chan error, 1)}
	go func() {
		err := agent.Serve(t.Context(), far, far, h)
		far.Close()
		s.ended <- err
	}()
	var err error
	if s.Session, err = agent.NewSession(near, signer); err != nil {
		t.Fatal(err)
	}
	return s
}

// end closes the session and waits for the agent to end.
func (s served) end() {
	s.Close()
	<-s.ended
}

// unexpected is told of a wait for the lock where there must be none.
func unexpected(t *testing.T) func(agent.Holder) {
	return func(h agent.Holder) { t.Errorf("waits for %s", h) }
}

func TestLockNamesItsHolder(t *testing.T) {
	root := t.TempDir()
	lock := func(s served, user string) *agent.Holder {
		other, err := s.Lock(t.Context(), agent.Holder{User: user, Host: "desk", PID: 42, Since: time.Unix(0, 0).UTC(), Purpose: "pigsty apply"}, unexpected(t))
		if err != nil {
			t.Fatal(err)
		}
		return other
	}
	first, second := serve(t, simulate.NewHost(root), nil), serve(t, simulate.NewHost(root), nil)
	defer second.end()
	if other := lock(first, "ann"); other != nil {
		t.Fatalf("the first is told of %s", other)
	}
	if other := lock(first, "ann"); other != nil {
		t.Errorf("who has the lock and asks again is told of %s", other)
	}
	if other := lock(second, "bob"); other == nil || other.String() != "ann@desk (process 42, pigsty apply, since 1970-01-01 00:00:00)" {
		t.Errorf("the second is told of %v", other)
	}
	first.end()
	if other := lock(second, "bob"); other != nil {
		t.Errorf("after the first has ended the second is told of %s", other)
	}
	third := serve(t, simulate.NewHost(root), nil)
	defer third.end()
	if other := lock(third, "cid"); other == nil || other.User != "bob" {
		t.Errorf("the third is told of %v, want bob", other)
	}
}

// busy is a host on which stopping ssh.service calls back in the middle of the step, and the
// steps for it: one before, that one, one after.
func busy(t *testing.T, inside func()) (*resource.Host, []resource.Step) {
	h := simulate.NewHost(t.TempDir())
	h.Systemd.(*simulate.Systemd).Fail = func(string, string) error {
		inside()
		return nil
	}
	return h, steps(file("/a", "a"), &resource.Unit{Unit: "ssh.service", Stopped: true}, file("/b", "b"))
}

func TestStoppedRunFinishesItsStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		h, all := busy(t, func() { cancel(); synctest.Wait() })
		s := serve(t, h, nil)
		defer s.end()
		var told []string
		if err := s.Apply(ctx, all, func(o resource.Outcome) { told = append(told, string(o.Status)+" "+o.Error) }); err != nil {
			t.Fatal(err)
		}
		want := []string{"started ", "changed ", "started ", "changed ", "skipped the run was stopped"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

func TestControllerGoneMidStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s served
		h, all := busy(t, func() { s.Close(); synctest.Wait() })
		s = serve(t, h, nil)
		if err := s.Apply(t.Context(), all, func(resource.Outcome) {}); err == nil {
			t.Error("a run whose connection was closed ended well")
		}
		<-s.ended
		again := serve(t, simulate.NewHost(h.Root), nil)
		defer again.end()
		left, err := again.Diff(t.Context(), all)
		if err != nil || len(left) != 1 || left[0].Index != 2 {
			t.Errorf("left to do: %+v, %v; want step 2 alone: the one before was finished, none begun", left, err)
		}
		if _, err := s.Diff(t.Context(), all); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("a question on the dead session: %v", err)
		}
	})
}

// A step that needs the controller when it has gone fails; it does not wait for ever.
func TestSignWithNobodyThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s served
		h, _ := busy(t, func() { s.Close(); synctest.Wait() })
		s = serve(t, h, nil)
		signing := &resource.Certificate{Path: "/etc/x.crt", KeyPath: "/etc/x.key"}
		_ = s.Apply(t.Context(), steps(&resource.Unit{Unit: "ssh.service", Stopped: true}), func(resource.Outcome) {})
		<-s.ended
		if err := signing.Apply(t.Context(), h); err == nil || !strings.Contains(err.Error(), "the controller has gone") {
			t.Errorf("%v", err)
		}
	})
}

// An agent that is told to end starts no further step.
func TestTerminatedAgentFinishesItsStep(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h, all := busy(t, cancel)
	near, far := net.Pipe()
	go func() { _ = agent.Serve(ctx, far, far, h) }()
	s, err := agent.NewSession(near, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, last := apply(t, s, all)
	if last[1].Status != resource.Changed || last[2].Status != resource.Skipped {
		t.Errorf("%+v", last)
	}
	if _, err := os.Stat(h.Path("/b")); err == nil {
		t.Error("the step after was carried out")
	}
}

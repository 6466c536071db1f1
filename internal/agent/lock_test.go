package agent_test

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pigsty/internal/agent"
	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

// A run that was killed in the middle of a step can be started again at once: the lock that its
// agent still has is waited for, and whoever waits is told so once.
func TestLockOfARunWithoutController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inside, finish := make(chan bool), make(chan bool)
		h, all := busy(t, func() { close(inside); <-finish })
		first, second := serve(t, h, nil), serve(t, simulate.NewHost(h.Root), nil)
		defer second.end()
		if other, err := first.Lock(t.Context(), agent.Holder{User: "ann"}, unexpected(t)); other != nil || err != nil {
			t.Fatal(other, err)
		}
		go func() { _ = first.Apply(t.Context(), all, func(resource.Outcome) {}) }()
		<-inside
		if other, err := second.Lock(t.Context(), agent.Holder{User: "bob"}, unexpected(t)); other == nil || other.User != "ann" || err != nil {
			t.Errorf("while the first has its controller: %v, %v", other, err)
		}
		first.Close()
		time.AfterFunc(time.Minute, func() { close(finish) })
		waitsForAnn(t, second, time.Minute)
		<-first.ended
	})
}

// waitsForAnn takes the lock that ann's run still has for so long.
func waitsForAnn(t *testing.T, s served, left time.Duration) {
	t.Helper()
	began := time.Now()
	told := 0
	other, err := s.Lock(t.Context(), agent.Holder{User: "bob"}, func(h agent.Holder) {
		told++
		if after := time.Since(began); h.User != "ann" || !h.Left || after > 3*time.Second {
			t.Errorf("told after %s to wait for %+v", after, h)
		}
	})
	if other != nil || err != nil || told != 1 {
		t.Errorf("%v, %v; told %d times", other, err, told)
	}
	if waited := time.Since(began); waited < left {
		t.Errorf("got the lock after %s, before the step was finished", waited)
	}
}

// severed is a connection whose other end is gone without a word: what is written goes nowhere,
// and nothing comes.
type severed struct {
	net.Conn
	cut chan bool
}

func (c severed) Write(p []byte) (int, error) {
	select {
	case <-c.cut:
		return len(p), nil
	default:
		return c.Conn.Write(p)
	}
}

// A controller whose host dies says nothing more, and its connection stays open. Its agent
// finishes the step it is at, begins no other, and ends, although nobody reads what it says.
func TestSilentControllerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inside, finish := make(chan bool), make(chan bool)
		h, all := busy(t, func() { close(inside); <-finish })
		near, far := net.Pipe()
		line := severed{near, make(chan bool)}
		ended, deaf := make(chan error, 1), make(chan bool)
		go func() { ended <- agent.Serve(t.Context(), far, far, h) }()
		first, err := agent.NewSession(line, nil)
		if err != nil {
			t.Fatal(err)
		}
		if other, err := first.Lock(t.Context(), agent.Holder{User: "ann"}, unexpected(t)); other != nil || err != nil {
			t.Fatal(other, err)
		}
		go func() { _ = first.Apply(t.Context(), all, func(resource.Outcome) { <-deaf }) }()
		<-inside
		time.Sleep(time.Hour) // the controller beats all the while
		second := serve(t, simulate.NewHost(h.Root), nil)
		defer second.end()
		if other, err := second.Lock(t.Context(), agent.Holder{User: "bob"}, unexpected(t)); other == nil || other.Left || err != nil {
			t.Errorf("while the controller lives: %+v, %v", other, err)
		}
		close(line.cut)
		time.Sleep(2 * time.Minute)
		time.AfterFunc(time.Minute, func() { close(finish) })
		waitsForAnn(t, second, time.Minute)
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "nothing was heard of the controller") {
			t.Errorf("the agent ends with %v", err)
		}
		if _, err := os.Stat(h.Path("/b")); err == nil {
			t.Error("a further step was begun")
		}
		close(deaf)
		first.Close()
		far.Close()
	})
}

// A step that only waits is given up when the run is stopped, and nothing after it is begun.
func TestStoppedRunGivesUpWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := simulate.NewHost(t.TempDir())
		h.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, context.DeadlineExceeded }
		s := serve(t, h, nil)
		defer s.end()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		var last []resource.Outcome
		err := s.Apply(ctx, steps(&resource.Wait{ID: "x", TCP: "127.0.0.1:1", Timeout: time.Hour}, file("/b", "b")), func(o resource.Outcome) {
			if o.Status != resource.Started {
				last = append(last, o)
			}
		})
		if err != nil || len(last) != 2 || last[0].Status != resource.Skipped || last[1].Status != resource.Skipped {
			t.Errorf("%+v, %v", last, err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it waited for %s", took)
		}
	})
}

package agent_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"pigsty/internal/agent"
	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

// A run that was killed in the middle of a step can be started again at once: the lock that its
// agent still has is waited for.
func TestLockOfARunWithoutController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inside, finish := make(chan bool), make(chan bool)
		h, all := busy(t, func() { close(inside); <-finish })
		first, second := serve(t, h, nil), serve(t, simulate.NewHost(h.Root), nil)
		defer second.end()
		if other, err := first.Lock(t.Context(), agent.Holder{User: "ann"}); other != nil || err != nil {
			t.Fatal(other, err)
		}
		go func() { _ = first.Apply(t.Context(), all, func(resource.Outcome) {}) }()
		<-inside
		if other, err := second.Lock(t.Context(), agent.Holder{User: "bob"}); other == nil || other.User != "ann" || err != nil {
			t.Errorf("while the first has its controller: %v, %v", other, err)
		}
		first.Close()
		time.AfterFunc(time.Minute, func() { close(finish) })
		began := time.Now()
		if other, err := second.Lock(t.Context(), agent.Holder{User: "bob"}); other != nil || err != nil {
			t.Errorf("when it has gone: %v, %v", other, err)
		}
		if waited := time.Since(began); waited < time.Minute {
			t.Errorf("got the lock after %s, before the step was finished", waited)
		}
		<-first.ended
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

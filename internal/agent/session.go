package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"pigsty/internal/fact"
	"pigsty/internal/health"
	"pigsty/internal/inspect"
	"pigsty/internal/openpgp"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
	"pigsty/internal/resource/repository"
)

// Session is the controller's end of a connection to one node's agent. Its methods may be
// called one at a time; Stop may be called at any time.
type Session struct {
	stream *stream
	closer io.Closer
	signer Signer

	mu    sync.Mutex
	asked uint64
	calls map[uint64]*call
	ended error
	done  chan struct{}                       // closed when ended is set
	wants map[string]bool                     // what the steps being applied need signed
	aides map[string]map[string]resource.Aide // those of the steps being applied, by step and node
	peers map[string]*Session                 // whom the aides are asked of, by node
	// supplies are those of the steps being applied, by step and name; seals are the steps that may
	// have indexes signed, by the key sealer.
	supplies map[string]map[string]resource.Supply
	seals    map[string]bool
	sealer   *openpgp.Key
}

type call struct {
	event func(json.RawMessage)
	reply chan message
}

// NewSession speaks to an agent over the stream. It waits for the agent's greeting, so that a
// stream with something else at its end is refused at once.
func NewSession(rw io.ReadWriteCloser, signer Signer) (*Session, error) {
	s := &Session{stream: newStream(rw, rw), closer: rw, signer: signer, calls: map[uint64]*call{}, done: make(chan struct{})}
	hello, err := s.stream.receive()
	if err == nil && hello.Op != opHello {
		err = fmt.Errorf("greeting %q", hello.Op)
	}
	if err != nil {
		return nil, fmt.Errorf("no agent answers: %w", err)
	}
	go s.read()
	go s.beat()
	return s, nil
}

// beatPause is the time between two signs of life.
const beatPause = 5 * time.Second

// beat tells the agent that the controller lives. A host that died says nothing more, and its
// end of the connection may stay open on the node for hours.
func (s *Session) beat() {
	tick := time.NewTicker(beatPause)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-tick.C:
			if s.stream.send(0, opBeat, nil, nil) != nil {
				return // read tells of it
			}
		}
	}
}

// read hands answers to those who wait, and serves the agent's own questions.
func (s *Session) read() {
	for {
		m, err := s.stream.receive()
		if err != nil {
			s.fail(err)
			return
		}
		switch m.Op {
		case opSign:
			go s.sign(m)
		case opCall:
			go s.call(m)
		case opSupply:
			go s.supply(m)
		case opSeal:
			go s.seal(m)
		default:
			s.deliver(m)
		}
	}
}

func (s *Session) deliver(m message) {
	s.mu.Lock()
	c := s.calls[m.ID]
	if m.Op == opResult {
		delete(s.calls, m.ID)
	}
	s.mu.Unlock()
	if c == nil {
		return
	}
	if m.Op == opEvent {
		c.event(m.Body)
		return
	}
	c.reply <- m
}

// fail ends every call: the connection is gone.
func (s *Session) fail(err error) {
	if errors.Is(err, io.EOF) {
		err = errors.New("the node closed the connection")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = err
	close(s.done)
	for id, c := range s.calls {
		c.reply <- message{Op: opResult, Error: err.Error()}
		delete(s.calls, id)
	}
}

// ask sends a question and waits for its answer.
func (s *Session) ask(ctx context.Context, op string, body, answer any, event func(json.RawMessage)) error {
	c := &call{event: event, reply: make(chan message, 1)}
	s.mu.Lock()
	if s.ended != nil {
		s.mu.Unlock()
		return s.ended
	}
	s.asked++
	id := s.asked
	s.calls[id] = c
	s.mu.Unlock()
	if err := s.stream.send(id, op, body, nil); err != nil {
		s.forget(id)
		return err
	}
	select {
	case <-ctx.Done():
		s.forget(id)
		return ctx.Err()
	case m := <-c.reply:
		if m.Error != "" {
			return errors.New(m.Error)
		}
		if answer == nil || len(m.Body) == 0 {
			return nil
		}
		return json.Unmarshal(m.Body, answer)
	}
}

// forget drops a question nobody waits for any more; an answer to it is passed over.
func (s *Session) forget(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.calls, id)
}

// Facts asks what the node is.
func (s *Session) Facts(ctx context.Context, q fact.Query) (fact.Node, error) {
	var n fact.Node
	err := s.ask(ctx, opFacts, q, &n, nil)
	return n, err
}

// Health asks how the node's services are.
func (s *Session) Health(ctx context.Context, q health.Query) (health.Node, error) {
	var n health.Node
	err := s.ask(ctx, opHealth, q, &n, nil)
	return n, err
}

// Asides asks what is set aside on the node, and in the server that is reached by conn; nil asks
// none.
func (s *Session) Asides(ctx context.Context, conn *postgres.Conn) ([]resource.Aside, error) {
	var kept []resource.Aside
	err := s.ask(ctx, opAsides, conn, &kept, nil)
	return kept, err
}

// Inspect asks what the node's instance, its pool and its balancer hold.
func (s *Session) Inspect(ctx context.Context, q inspect.Query) (inspect.Instance, error) {
	var i inspect.Instance
	err := s.ask(ctx, opInspect, q, &i, nil)
	return i, err
}

// Sources asks where the node's apt takes packages from.
func (s *Session) Sources(ctx context.Context) (fact.AptSources, error) {
	var from fact.AptSources
	err := s.ask(ctx, opSources, nil, &from, nil)
	return from, err
}

// Repository asks what the node's package repository holds, and whether it is whole.
func (s *Session) Repository(ctx context.Context, q repository.Query) (repository.State, error) {
	var state repository.State
	err := s.ask(ctx, opRepo, q, &state, nil)
	return state, err
}

// Diff asks what applying the steps would change. Steps that are in order and silent are left
// out of the answer.
func (s *Session) Diff(ctx context.Context, steps []resource.Step) ([]resource.Outcome, error) {
	var told []resource.Outcome
	if err := s.ask(ctx, opDiff, steps, &told, nil); err != nil {
		return nil, err
	}
	for _, o := range told {
		if o.Index < 0 || o.Index >= len(steps) {
			return nil, fmt.Errorf("the node answers for step %d of %d", o.Index, len(steps))
		}
	}
	return told, nil
}

// Apply carries the steps out; event is called for each as it starts changing and as it ends.
// When ctx is cancelled the node finishes the step it is at and skips the rest, and Apply still
// waits for it. Events that make no sense are passed over: a step nobody was told the end of
// counts as not done.
func (s *Session) Apply(ctx context.Context, steps []resource.Step, event func(resource.Outcome)) error {
	s.want(steps)
	s.keepAides(steps)
	s.keepSupplies(steps)
	release := context.AfterFunc(ctx, s.Stop)
	defer release()
	return s.ask(context.WithoutCancel(ctx), opApply, steps, nil, func(body json.RawMessage) {
		var o resource.Outcome
		if json.Unmarshal(body, &o) == nil && o.Index >= 0 && o.Index < len(steps) {
			event(o)
		}
	})
}

// Lock takes the node's apply lock until the session closes. It returns who holds it when
// somebody else does. One whose controller has gone is waited for, until its agent has finished
// the step it is at; where that takes more than a moment, waiting is called once with the holder.
func (s *Session) Lock(ctx context.Context, me Holder, waiting func(Holder)) (*Holder, error) {
	var other *Holder
	err := s.ask(ctx, opLock, me, &other, func(body json.RawMessage) {
		var h Holder
		if json.Unmarshal(body, &h) == nil {
			waiting(h)
		}
	})
	return other, err
}

// Stop asks the agent to start no further step.
func (s *Session) Stop() {
	// If it cannot be sent, the connection is gone, and with it the run on that node.
	_ = s.stream.send(0, opStop, nil, nil)
}

// Close ends the session and with it the agent.
func (s *Session) Close() error { return s.closer.Close() }

// leaver is a connection that can be left to end by itself.
type leaver interface{ Leave() error }

// Leave is Close for whoever has only looked: it does not wait until the agent has ended.
func (s *Session) Leave() error {
	if l, can := s.closer.(leaver); can {
		return l.Leave()
	}
	return s.closer.Close()
}

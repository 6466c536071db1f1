package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"pigsty/internal/fact"
	"pigsty/internal/health"
	"pigsty/internal/inspect"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
	"pigsty/internal/resource/repository"
)

// server is the agent at work on one connection. Questions are answered one at a time; while
// one is being worked on, the reader still takes "stop" and the answers to "sign".
type server struct {
	host   *resource.Host
	stream *stream
	in     *listener // what the stream reads from, and writes to
	out    *outbox
	// stopped is cancelled when no further step is to start.
	stopped context.Context
	stop    context.CancelFunc

	mu      sync.Mutex
	lock    *runLock
	gone    bool // the controller has gone: nobody will answer
	asked   uint64
	waiting map[uint64]chan message // questions this agent put to the controller
}

// Serve answers the controller on the given stream until it ends, or until nothing was heard of
// the controller for about a minute. A step that is being applied then is finished first: half a
// package installation helps nobody. After a silence, a read of the stream may be left behind.
func Serve(ctx context.Context, r io.Reader, w io.Writer, host *resource.Host) (err error) {
	in, out := &listener{Reader: r}, newOutbox(w)
	s := &server{host: host, stream: newStream(in, out), in: in, out: out, waiting: map[uint64]chan message{}}
	s.stopped, s.stop = context.WithCancel(ctx)
	host.Sign, host.Call, host.SignRelease, host.ReadSupply = s.sign, s.call, s.signRelease, s.readSupply
	defer func() {
		s.stop()
		// Also when the controller has gone, and it is nobody's business how that went.
		err = errors.Join(err, host.Finish(context.WithoutCancel(ctx)))
		s.lock.release()
		out.close()
	}()
	if err := s.stream.send(0, opHello, nil, nil); err != nil {
		return err
	}
	questions := make(chan message, 16)
	ended := make(chan error, 1)
	go func() {
		defer close(questions)
		ended <- s.read(questions)
	}()
	done, silent := make(chan struct{}), make(chan struct{})
	defer close(done)
	go s.watch(done, silent)
	for {
		select {
		case <-silent:
			return errSilent
		case m, more := <-questions:
			if !more {
				return <-ended
			}
			if err := s.answer(ctx, m); err != nil {
				return err
			}
		}
	}
}

// read sorts incoming frames until the stream ends.
func (s *server) read(questions chan<- message) error {
	defer s.abandon()
	for {
		m, err := s.stream.receive()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch m.Op {
		case opBeat: // that something came is all it says
		case opStop:
			s.stop()
		case opAssist:
			// Beside the steps that this node is at: the step that calls waits for it.
			go s.assist(m)
		case opResult:
			s.mu.Lock()
			reply := s.waiting[m.ID]
			delete(s.waiting, m.ID)
			s.mu.Unlock()
			if reply != nil {
				reply <- m
			}
		default:
			questions <- m
		}
	}
}

// errGone ends the steps that need the controller when it is not there any more.
var errGone = errors.New("the controller has gone")

// abandon runs when the controller has gone: no further step starts, nobody waits for an answer
// that will not come, and the next run is told that the lock is about to be free.
func (s *server) abandon() {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	s.lock.leave()
	for id, reply := range s.waiting {
		reply <- message{Error: errGone.Error()}
		delete(s.waiting, id)
	}
}

// answer works on one question. Its error is of the stream; what goes wrong with the question
// is part of the answer.
func (s *server) answer(ctx context.Context, m message) error {
	body, err := s.work(ctx, m)
	return s.stream.send(m.ID, opResult, body, err)
}

func (s *server) work(ctx context.Context, m message) (any, error) {
	switch m.Op {
	case opFacts:
		var query fact.Query
		if err := json.Unmarshal(m.Body, &query); err != nil {
			return nil, err
		}
		return fact.Gather(ctx, query, s.host.Root)
	case opHealth:
		var query health.Query
		if err := json.Unmarshal(m.Body, &query); err != nil {
			return nil, err
		}
		return health.Gather(ctx, query, unitStates{s.host.Systemd}, databases{s.host}), nil
	case opInspect:
		var query inspect.Query
		if err := json.Unmarshal(m.Body, &query); err != nil {
			return nil, err
		}
		return inspect.Gather(ctx, query, s.host), nil
	case opAsides:
		var conn *postgres.Conn
		if err := json.Unmarshal(m.Body, &conn); err != nil {
			return nil, err
		}
		return s.asides(ctx, conn)
	case opSources:
		return repository.ReadSources(s.host)
	case opRepo:
		var query repository.Query
		if err := json.Unmarshal(m.Body, &query); err != nil {
			return nil, err
		}
		return repository.Look(ctx, s.host, query)
	case opRead:
		var part readMessage
		if err := json.Unmarshal(m.Body, &part); err != nil {
			return nil, err
		}
		return readPart(s.host.Path(part.Path), part.Offset, part.Size)
	case opLock:
		var holder Holder
		if err := json.Unmarshal(m.Body, &holder); err != nil {
			return nil, err
		}
		return s.takeLock(m.ID, holder)
	case opDiff, opApply:
		var steps []resource.Step
		if err := json.Unmarshal(m.Body, &steps); err != nil {
			return nil, err
		}
		if m.Op == opDiff {
			return s.diff(ctx, steps), nil
		}
		return nil, s.apply(ctx, m.ID, steps)
	default:
		return nil, fmt.Errorf("operation %q is not known to this agent", m.Op)
	}
}

// sign asks the controller's certificate authority; it is resource.Host.Sign.
func (s *server) sign(ctx context.Context, r pki.Request) ([]byte, error) {
	var pem []byte
	err := s.ask(ctx, opSign, r, &pem)
	return pem, err
}

// ask puts a question to the controller and waits for its answer.
func (s *server) ask(ctx context.Context, op string, question, answer any) error {
	reply := make(chan message, 1)
	s.mu.Lock()
	if s.gone {
		s.mu.Unlock()
		return errGone
	}
	s.asked++
	id := s.asked
	s.waiting[id] = reply
	s.mu.Unlock()
	if err := s.stream.send(id, op, question, nil); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case m := <-reply:
		if m.Error != "" {
			return errors.New(m.Error)
		}
		return json.Unmarshal(m.Body, answer)
	}
}

// databases is the node's PostgreSQL as health asks it.
type databases struct{ host *resource.Host }

func (d databases) Replication(ctx context.Context, server health.Server) (*health.Replication, error) {
	return postgres.Replication(ctx, d.host, server)
}

// unitStates is the node's service manager as health asks it.
type unitStates struct{ systemd resource.Systemd }

func (u unitStates) ActiveState(ctx context.Context, unit string) (string, error) {
	state, err := u.systemd.State(ctx, unit)
	return state.Active, err
}

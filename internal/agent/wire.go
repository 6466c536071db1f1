// Package agent is the node's side of a run, and the session through which the controller
// speaks to it: facts, diffs and applies over one stream of frames. The agent knows steps and
// the node it stands on, never the inventory; it ends with its connection.
package agent

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Operations. The first six are asked by the controller; sign is asked by the agent, and the
// last three are answers.
const (
	opFacts  = "facts"
	opHealth = "health"
	opDiff   = "diff"
	opApply  = "apply"
	opLock   = "lock"
	opStop   = "stop"
	opSign   = "sign"

	opHello  = "hello"
	opEvent  = "event"
	opResult = "result"
)

// maxFrame bounds one message; a node's whole desired state is well below it.
const maxFrame = 256 << 20

// message is one frame: four bytes of length, most significant first, then this as JSON.
type message struct {
	ID    uint64          `json:"id,omitempty"` // which question this belongs to
	Op    string          `json:"op"`
	Body  json.RawMessage `json:"body,omitempty"`
	Error string          `json:"error,omitempty"`
}

// stream reads and writes frames. Writes may come from several goroutines.
type stream struct {
	in  *bufio.Reader
	mu  sync.Mutex
	out *bufio.Writer
}

func newStream(r io.Reader, w io.Writer) *stream {
	return &stream{in: bufio.NewReaderSize(r, 64<<10), out: bufio.NewWriterSize(w, 64<<10)}
}

func (s *stream) send(id uint64, op string, body any, failure error) error {
	m := message{ID: id, Op: op}
	if failure != nil {
		m.Error = failure.Error()
	}
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode %s: %w", op, err)
		}
		m.Body = data
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(data) > maxFrame {
		return fmt.Errorf("%s is a message of %d bytes, and no more than %d can be sent", op, len(data), maxFrame)
	}
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(data)))
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.out.Write(length[:]); err != nil {
		return err
	}
	if _, err := s.out.Write(data); err != nil {
		return err
	}
	return s.out.Flush()
}

// errCutOff is a stream that ended where no frame does: whoever sent it was cut off.
var errCutOff = errors.New("the stream ended inside a frame")

// receive returns the next frame, or io.EOF when the other side has gone between two frames.
func (s *stream) receive() (message, error) {
	var length [4]byte
	if _, err := io.ReadFull(s.in, length[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errCutOff
		}
		return message{}, err
	}
	size := binary.BigEndian.Uint32(length[:])
	if size > maxFrame {
		return message{}, fmt.Errorf("a frame of %d bytes: the other side does not speak this protocol", size)
	}
	// A length alone, which may be nonsense, does not claim memory for more than this.
	var data bytes.Buffer
	data.Grow(int(min(size, 1<<20)))
	if _, err := io.CopyN(&data, s.in, int64(size)); err != nil {
		if errors.Is(err, io.EOF) {
			err = errCutOff
		}
		return message{}, err
	}
	var m message
	if err := json.Unmarshal(data.Bytes(), &m); err != nil {
		return message{}, fmt.Errorf("decode frame: %w", err)
	}
	return m, nil
}

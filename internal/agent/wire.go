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

// Operations. The first group is asked by the controller, which beats besides as long as it lives;
// the second is asked by the agent, and the last three are answers.
const (
	opFacts   = "facts"
	opHealth  = "health"
	opInspect = "inspect"
	opDiff    = "diff"
	opApply   = "apply"
	opLock    = "lock"
	opAsides  = "asides"
	opSources = "sources"
	opRepo    = "repository"
	opRead    = "read"
	opStop    = "stop"
	opAssist  = "assist"
	opBeat    = "beat"

	opSign   = "sign"
	opCall   = "call"
	opSeal   = "seal"
	opSupply = "supply"

	opHello  = "hello"
	opEvent  = "event"
	opResult = "result"
)

// maxFrame bounds one message; a node's whole desired state is well below it.
const maxFrame = 256 << 20

// lengthSize is the bytes of a frame's length.
const lengthSize = 4

// message is one frame: four bytes of length, most significant first, then a line of JSON that
// says what the frame is, then the body as JSON, if any. The body stands by itself so that the
// large ones are scanned once.
type message struct {
	ID    uint64          `json:"id,omitempty"` // which question this belongs to
	Op    string          `json:"op"`
	Error string          `json:"error,omitempty"`
	Body  json.RawMessage `json:"-"`
}

// stream reads and writes frames. Writes may come from several goroutines.
type stream struct {
	in  *bufio.Reader
	mu  sync.Mutex
	out io.Writer
}

func newStream(r io.Reader, w io.Writer) *stream {
	return &stream{in: bufio.NewReader(r), out: w}
}

func (s *stream) send(id uint64, op string, body any, failure error) error {
	m := message{ID: id, Op: op}
	if failure != nil {
		m.Error = failure.Error()
	}
	var frame bytes.Buffer
	frame.Write(make([]byte, lengthSize))
	encoder := json.NewEncoder(&frame)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(m); err != nil {
		return err
	}
	if body != nil {
		if err := encoder.Encode(body); err != nil {
			return fmt.Errorf("encode %s: %w", op, err)
		}
	}
	size := frame.Len() - lengthSize
	if size > maxFrame {
		return fmt.Errorf("%s is a message of %d bytes, and no more than %d can be sent", op, size, maxFrame)
	}
	binary.BigEndian.PutUint32(frame.Bytes(), uint32(size))
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.out.Write(frame.Bytes())
	return err
}

// errCutOff is a stream that ended where no frame does: whoever sent it was cut off.
var errCutOff = errors.New("the stream ended inside a frame")

// receive returns the next frame, or io.EOF when the other side has gone between two frames.
func (s *stream) receive() (message, error) {
	var length [lengthSize]byte
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
	var frame bytes.Buffer
	frame.Grow(int(min(size, 1<<20)) + bytes.MinRead)
	if _, err := io.CopyN(&frame, s.in, int64(size)); err != nil {
		if errors.Is(err, io.EOF) {
			err = errCutOff
		}
		return message{}, err
	}
	var m message
	head, body, _ := bytes.Cut(frame.Bytes(), []byte("\n"))
	if err := json.Unmarshal(head, &m); err != nil {
		return message{}, fmt.Errorf("decode frame: %w", err)
	}
	m.Body = bytes.TrimSpace(body)
	return m, nil
}

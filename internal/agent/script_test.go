package agent_test

import (
	"encoding/binary"
	"io"
	"net"
	"testing"

	"pigsty/internal/agent"
)

// scripted is a session to an agent that reads a question and gives the next answer, whatever
// the question; an answer is frames.
func scripted(t *testing.T, answers ...[]string) *agent.Session {
	t.Helper()
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		write(far, `{"op":"hello"}`)
		for _, answer := range answers {
			var length [4]byte
			if _, err := io.ReadFull(far, length[:]); err != nil {
				return
			}
			if _, err := io.CopyN(io.Discard, far, int64(binary.BigEndian.Uint32(length[:]))); err != nil {
				return
			}
			for _, frame := range answer {
				write(far, frame)
			}
		}
	}()
	s, err := agent.NewSession(near, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// write sends one frame. That the other side has gone is for it to say.
func write(w io.Writer, body string) {
	_, _ = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
}

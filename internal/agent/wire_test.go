package agent

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

// frame is a body with its length before it.
func frame(body string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func TestFramesArriveAsSent(t *testing.T) {
	var buf bytes.Buffer
	s := newStream(&buf, &buf)
	if err := s.send(7, opSign, map[string]string{"a": "b"}, errors.New("no")); err != nil {
		t.Fatal(err)
	}
	m, err := s.receive()
	if err != nil || m.ID != 7 || m.Op != opSign || string(m.Body) != `{"a":"b"}` || m.Error != "no" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := s.receive(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last frame: %v", err)
	}
}

func TestBrokenStreams(t *testing.T) {
	whole := string(frame(`{"op":"hello"}`))
	for name, c := range map[string]struct{ data, want string }{
		"inside the length":  {whole[:2], "inside a frame"},
		"before the body":    {whole[:4], "inside a frame"},
		"inside the body":    {whole[:9], "inside a frame"},
		"oversized":          {"\x7f\xff\xff\xff{}", "does not speak this protocol"},
		"a shell's greeting": {"Welcome to Debian GNU/Linux\n", "does not speak this protocol"},
		"an empty body":      {string(frame("")), "decode frame"},
		"no JSON":            {string(frame("hello")), "decode frame"},
	} {
		_, err := newStream(strings.NewReader(c.data), io.Discard).receive()
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v, want an error that says %q and is no clean end", name, err, c.want)
		}
	}
}

// Whatever comes in, the reader gives frames or an error, and reads no further than the frames
// say.
func FuzzReceive(f *testing.F) {
	f.Add(frame(`{"op":"hello"}`))
	f.Add(append(frame(`{"id":1,"op":"event","error":""}`+"\n"+`{"index":1}`), frame(`{"op":"result","error":"x"}`)...))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Add([]byte{0, 0, 0, 2, '{', '}'})
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newStream(bytes.NewReader(data), io.Discard)
		read := 0
		for {
			m, err := s.receive()
			if err != nil {
				break
			}
			size := int(binary.BigEndian.Uint32(data[read:]))
			if read += 4 + size; read > len(data) {
				t.Fatalf("a frame ends at byte %d of %d", read, len(data))
			}
			var buf bytes.Buffer
			back := newStream(&buf, &buf)
			var failure error
			if m.Error != "" {
				failure = errors.New(m.Error)
			}
			var body any
			if json.Valid(m.Body) {
				body = m.Body
			}
			if err := back.send(m.ID, m.Op, body, failure); err != nil {
				t.Fatal(err)
			}
			if again, err := back.receive(); err != nil || again.ID != m.ID || again.Op != m.Op || again.Error != m.Error || (body != nil) != json.Valid(again.Body) {
				t.Fatalf("%+v came back as %+v, %v", m, again, err)
			}
		}
	})
}

package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"pigsty/internal/openpgp"
	"pigsty/internal/resource"
)

// partSize is how many bytes of a file go into one message.
const partSize = 1 << 20

// readMessage asks for a part of a file.
type readMessage struct {
	Step   string `json:"step,omitempty"` // whose supply is meant; empty where Path says it
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
	Size   int64  `json:"size,omitempty"`
}

// readSupply asks the controller for a part of a step's supply; it is resource.Host.ReadSupply.
func (s *server) readSupply(ctx context.Context, r resource.Resource, name string, offset int64) ([]byte, error) {
	var part []byte
	err := s.ask(ctx, opSupply, readMessage{Step: resource.ID(r), Path: name, Offset: offset}, &part)
	return part, err
}

// sealMessage asks for the signature of an index; sealed is the answer.
type sealMessage struct {
	Step string    `json:"step"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

type sealed struct {
	Clear    string `json:"clear"`
	Detached string `json:"detached"`
}

// signRelease asks the controller to sign an index; it is resource.Host.SignRelease.
func (s *server) signRelease(ctx context.Context, r resource.Resource, text string, at time.Time) (clear, detached string, err error) {
	var answer sealed
	err = s.ask(ctx, opSeal, sealMessage{Step: resource.ID(r), Text: text, At: at}, &answer)
	return answer.Clear, answer.Detached, err
}

// keepSupplies notes the supplies of the steps that are about to be applied, and which of them sign
// indexes.
func (s *Session) keepSupplies(steps []resource.Step) {
	supplies := map[string]map[string]resource.Supply{}
	seals := map[string]bool{}
	for _, step := range steps {
		id := resource.ID(step.Resource)
		if len(step.Supplies) > 0 {
			supplies[id] = step.Supplies
		}
		if publisher, ok := step.Resource.(resource.Publisher); ok && publisher.Publishes() {
			seals[id] = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.supplies, s.seals = supplies, seals
}

// supply answers a node that asks for a part of a step's supply. It gets no other file: a node that
// somebody broke into must not read the controller's.
func (s *Session) supply(m message) {
	var r readMessage
	err := json.Unmarshal(m.Body, &r)
	s.mu.Lock()
	supply, offered := s.supplies[r.Step][r.Path]
	s.mu.Unlock()
	var part []byte
	switch {
	case err != nil:
	case !offered || r.Offset < 0 || r.Offset > supply.Size:
		err = fmt.Errorf("%s is nothing that this node is to have", r.Path)
	default:
		part, err = readPart(supply.Path, supply.Offset+r.Offset, supply.Size-r.Offset)
	}
	// A failed send shows as the end of the stream in read.
	_ = s.stream.send(m.ID, opResult, part, err)
}

// SealWith has the session sign indexes of a package repository with a key, for steps that publish
// them.
func (s *Session) SealWith(key *openpgp.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealer = key
}

// seal answers a node that asks for the signature of an index.
func (s *Session) seal(m message) {
	var r sealMessage
	err := json.Unmarshal(m.Body, &r)
	s.mu.Lock()
	allowed, key := s.seals[r.Step], s.sealer
	s.mu.Unlock()
	var answer sealed
	switch {
	case err != nil:
	case !allowed || key == nil:
		err = errors.New("this node is to have no package repository")
	default:
		answer = sealed{Clear: key.ClearSigned(r.Text, r.At), Detached: key.Detached([]byte(r.Text), r.At)}
	}
	// A failed send shows as the end of the stream in read.
	_ = s.stream.send(m.ID, opResult, answer, err)
}

// readPart reads up to size bytes of a file from an offset on, and no more than a message holds.
func readPart(path string, offset, size int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	part := make([]byte, min(size, partSize))
	n, err := f.ReadAt(part, offset)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return part[:n], err
}

// File reads a file of the node's from its beginning to its end.
func (s *Session) File(ctx context.Context, path string, size int64) io.ReadCloser {
	return io.NopCloser(&nodeFile{ctx: ctx, session: s, path: path, size: size})
}

type nodeFile struct {
	ctx     context.Context
	session *Session
	path    string
	size    int64
	offset  int64
	rest    []byte
}

func (f *nodeFile) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		if f.offset >= f.size {
			return 0, io.EOF
		}
		question := readMessage{Path: f.path, Offset: f.offset, Size: f.size - f.offset}
		if err := f.session.ask(f.ctx, opRead, question, &f.rest, nil); err != nil {
			return 0, fmt.Errorf("read %s on the node: %w", f.path, err)
		}
		if len(f.rest) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
		f.offset += int64(len(f.rest))
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

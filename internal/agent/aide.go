package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"pigsty/internal/resource"
)

// callMessage is a step's call for its aides. It names the step only: what the aides are, and on
// which nodes, the controller has said itself. A node that somebody broke into cannot have others
// do anything else.
type callMessage struct {
	Step  string          `json:"step"`
	Order json.RawMessage `json:"order"`
}

type assistMessage struct {
	Kind  string          `json:"kind"`
	Aide  json.RawMessage `json:"aide"`
	Order json.RawMessage `json:"order"`
}

// call asks the controller for a step's aides; it is resource.Host.Call.
func (s *server) call(ctx context.Context, r resource.Resource, order any) (map[string]error, error) {
	text, err := json.Marshal(order)
	if err != nil {
		return nil, err
	}
	var failed map[string]string
	if err := s.ask(ctx, opCall, callMessage{Step: resource.ID(r), Order: text}, &failed); err != nil {
		return nil, err
	}
	problems := map[string]error{}
	for node, text := range failed {
		problems[node] = errors.New(text)
	}
	return problems, nil
}

// assist does what another node's step calls for here, and answers as any question is answered.
func (s *server) assist(m message) {
	var a assistMessage
	err := json.Unmarshal(m.Body, &a)
	var aide resource.Aide
	if err == nil {
		aide, err = resource.DecodeAide(a.Kind, a.Aide)
	}
	if err == nil {
		err = aide.Assist(context.WithoutCancel(s.stopped), s.host, a.Order)
	}
	// A failed send shows as the end of the stream in read.
	_ = s.stream.send(m.ID, opResult, nil, err)
}

// Meet tells the session of the others of its fleet, whose nodes its steps may call on.
func (s *Session) Meet(peers map[string]*Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers = peers
}

// keepAides notes the aides of the steps that are about to be applied.
func (s *Session) keepAides(steps []resource.Step) {
	aides := map[string]map[string]resource.Aide{}
	for _, step := range steps {
		if len(step.Aides) > 0 {
			aides[resource.ID(step.Resource)] = step.Aides
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aides = aides
}

// call has a step's aides do their parts at once, and answers with what went wrong, by node.
func (s *Session) call(m message) {
	var c callMessage
	err := json.Unmarshal(m.Body, &c)
	s.mu.Lock()
	aides, peers := s.aides[c.Step], s.peers
	s.mu.Unlock()
	failed := map[string]string{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for node, aide := range aides {
		group.Go(func() {
			if err := assistAt(peers[node], aide, c.Order); err != nil {
				mu.Lock()
				failed[node] = err.Error()
				mu.Unlock()
			}
		})
	}
	group.Wait()
	// A failed send shows as the end of the stream in read.
	_ = s.stream.send(m.ID, opResult, failed, err)
}

func assistAt(peer *Session, aide resource.Aide, order json.RawMessage) error {
	if peer == nil {
		return errors.New("the node could not be reached")
	}
	text, err := json.Marshal(aide)
	if err != nil {
		return fmt.Errorf("encode %s: %w", aide.AideKind(), err)
	}
	return peer.ask(context.Background(), opAssist, assistMessage{aide.AideKind(), text, order}, nil, nil)
}

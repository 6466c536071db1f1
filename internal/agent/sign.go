package agent

import (
	"encoding/json"
	"fmt"

	"pigsty/internal/pki"
	"pigsty/internal/resource"
)

// Signer signs what nodes ask for; the controller's authority.
type Signer interface {
	Sign(r pki.Request) ([]byte, error)
}

// want notes which certificates the steps need.
func (s *Session) want(steps []resource.Step) {
	wants := map[string]bool{}
	for _, step := range steps {
		if c, ok := step.Resource.(*resource.Certificate); ok {
			wants[leafKey(c.Leaf)] = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wants = wants
}

// wanted tells whether the node was told to have this certificate. One that somebody broke into
// must not get certificates in the name of others.
func (s *Session) wanted(l pki.Leaf) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wants[leafKey(l)]
}

// leafKey is all that a certificate says, as text.
func leafKey(l pki.Leaf) string {
	// Encoding a struct of strings and a number cannot fail.
	text, _ := json.Marshal(l)
	return string(text)
}

// sign answers a node's request.
func (s *Session) sign(m message) {
	var r pki.Request
	err := json.Unmarshal(m.Body, &r)
	if err == nil && !s.wanted(r.Leaf) {
		err = fmt.Errorf("a certificate for %q is not what this node is to have", r.Leaf.CommonName)
	}
	var pem []byte
	if err == nil {
		pem, err = s.signer.Sign(r)
	}
	// A failed send shows as the end of the stream in read.
	_ = s.stream.send(m.ID, opResult, pem, err)
}

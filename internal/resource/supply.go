package resource

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Supply is a file on the controller, or a part of one, that a step may read on its node; see
// Step.Supplies.
type Supply struct {
	Path   string
	Offset int64 // where it begins in the file
	Size   int64 // bytes
}

// Publisher is a resource that may have indexes of a package repository signed.
type Publisher interface {
	// Publishes tells whether it does.
	Publishes() bool
}

// Supply is a file that the controller has for the resource's step, for reading from its beginning.
func (h *Host) Supply(ctx context.Context, r Resource, name string) io.Reader {
	return &supplied{ctx: ctx, host: h, resource: r, name: name}
}

type supplied struct {
	ctx      context.Context
	host     *Host
	resource Resource
	name     string
	offset   int64
	rest     []byte
}

func (s *supplied) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.host.ReadSupply == nil {
			return 0, errors.New("no controller is there to give " + s.name)
		}
		part, err := s.host.ReadSupply(s.ctx, s.resource, s.name, s.offset)
		if err != nil {
			return 0, fmt.Errorf("get %s from the controller: %w", s.name, err)
		}
		if len(part) == 0 {
			return 0, io.EOF
		}
		s.rest, s.offset = part, s.offset+int64(len(part))
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

package server

import (
	"context"
	"net"
	"slices"
	"strconv"
)

// Role tells whether the server is in recovery, that is, a replica. The error says why it is down.
// The answer is at most a second old, or the last that was had while something slow is under way.
func (s *Server) Role(ctx context.Context) (recovery bool, err error) {
	now, err := s.check(ctx)
	return now.recovery, err
}

// Check tells why the server is down; nil when it is up.
func (s *Server) Check(ctx context.Context) error {
	_, err := s.check(ctx)
	return err
}

// Address says where the server is, without a password.
func (s *Server) Address() string {
	c := s.config.Conn
	return c.User + "@" + net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))) + "/" + c.Database
}

// Labels are those that every series has.
func (s *Server) Labels() []Label { return slices.Clone(s.config.Labels) }

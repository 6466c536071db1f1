package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// certificateEvery is how often the server is asked for its certificate.
const certificateEvery = 10 * time.Minute

// certificate is what is known of the certificate that the server shows to clients.
type certificate struct {
	asked   time.Time // zero when never
	expires time.Time // zero when there is none, or it could not be seen
}

// renewCertificate has the certificate looked at in the background when that was a while ago.
func (s *Server) renewCertificate(now time.Time) {
	s.mu.Lock()
	due := s.state.gone(now) == nil && (s.certificate.asked.IsZero() || now.Sub(s.certificate.asked) >= certificateEvery)
	if due {
		s.certificate.asked = now
	}
	s.mu.Unlock()
	if !due || s.ctx.Err() != nil {
		return
	}
	s.work.Go(func() {
		expires, err := s.lookAtCertificate()
		if err != nil {
			s.config.Log.Debug("the server's certificate cannot be seen", "error", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.certificate.expires = expires
	})
}

// lookAtCertificate asks for TLS as a client from outside would, also where the exporter itself
// comes through a socket of the machine, and goes away once it has seen the certificate. Zero means
// that the server has no TLS.
func (s *Server) lookAtCertificate() (time.Time, error) {
	conn := s.config.Conn
	host := conn.Host
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.config.Patience)
	defer cancel()
	var dialer net.Dialer
	wire, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(int(conn.Port))))
	if err != nil {
		return time.Time{}, err
	}
	defer wire.Close()
	deadline, _ := ctx.Deadline()
	if err := wire.SetDeadline(deadline); err != nil {
		return time.Time{}, err
	}
	request, err := (&pgproto3.SSLRequest{}).Encode(nil)
	if err != nil {
		return time.Time{}, err
	}
	if _, err := wire.Write(request); err != nil {
		return time.Time{}, err
	}
	answer := make([]byte, 1)
	if _, err := wire.Read(answer); err != nil {
		return time.Time{}, err
	}
	switch answer[0] {
	case 'S':
		return expiry(ctx, wire)
	case 'N':
		return time.Time{}, nil
	}
	return time.Time{}, errors.New("the server does not understand a request for TLS")
}

// expiry gives when the first of the certificates that are shown expires. Whether they are to be
// trusted is not asked: nothing is said over the connection.
func expiry(ctx context.Context, wire net.Conn) (time.Time, error) {
	client := tls.Client(wire, &tls.Config{InsecureSkipVerify: true})
	if err := client.HandshakeContext(ctx); err != nil {
		return time.Time{}, err
	}
	var first time.Time
	for _, c := range client.ConnectionState().PeerCertificates {
		if first.IsZero() || c.NotAfter.Before(first) {
			first = c.NotAfter
		}
	}
	return first, leave(client, wire)
}

// leave says goodbye and takes what the server still sends: a connection that is reset would be a
// line in its log.
func leave(client *tls.Conn, wire net.Conn) error {
	if err := client.CloseWrite(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, wire)
	return err
}

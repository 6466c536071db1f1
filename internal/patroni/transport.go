// Package patroni is the way to Patroni's REST API that everybody who asks it takes.
package patroni

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"syscall"
	"time"
)

// connectTimeout bounds how long a member may take to accept a connection.
const connectTimeout = 5 * time.Second

// DialFunc opens a connection, as net.Dialer's DialContext does.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// Transport carries requests to members: with no proxy from the environment, and with no kept
// connections, as members restart. A nil dial is the system's own.
//
// Patroni sends the head and the body of an answer one after the other and leaves Nagle's
// algorithm on, so the body waits until the head is acknowledged, which Linux puts off for 40 ms
// (TCP_DELACK_MIN). Acknowledging at once makes an answer ten times as fast.
func Transport(config *tls.Config, dial DialFunc) *http.Transport {
	if dial == nil {
		dial = (&net.Dialer{Timeout: connectTimeout}).DialContext
	}
	return &http.Transport{
		TLSClientConfig:   config,
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return acknowledging(conn), nil
		},
	}
}

// promptConn acknowledges what it receives at once. The kernel goes back to delaying whenever the
// two sides take turns, so it is told again each time.
type promptConn struct {
	net.Conn
	raw syscall.RawConn
}

// acknowledging wraps a TCP connection; another is returned as it is.
func acknowledging(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	return &promptConn{Conn: conn, raw: raw}
}

func (c *promptConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.prompt()
	return n, err
}

func (c *promptConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.prompt()
	return n, err
}

// prompt is about speed alone: where the kernel does not want it, the answer comes later.
func (c *promptConn) prompt() {
	_ = c.raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
}

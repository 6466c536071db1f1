// Package haproxy speaks to the HAProxy of its own node by the admin socket.
package haproxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Socket is where HAProxy takes orders and questions on its own node.
const Socket = "/run/haproxy/admin.sock"

// patience is how long HAProxy may take to answer.
const patience = 5 * time.Second

// Admin is the admin socket at a path.
type Admin string

// Say gives orders one after the other. A server or backend that HAProxy does not have is nothing to
// complain about; the error is of the first order that it refuses otherwise.
func (a Admin) Say(ctx context.Context, orders ...string) error {
	for _, order := range orders {
		answer, err := a.ask(ctx, order)
		if err != nil {
			return err
		}
		answer = strings.TrimSpace(answer)
		if answer != "" && !strings.HasPrefix(answer, "No such server") && !strings.HasPrefix(answer, "No such backend") {
			return fmt.Errorf("HAProxy, %s: %s", order, answer)
		}
	}
	return nil
}

// Servers are the servers of all services, in HAProxy's order.
func (a Admin) Servers(ctx context.Context) ([]Server, error) {
	answer, err := a.ask(ctx, "show stat")
	if err != nil {
		return nil, err
	}
	return readServers(answer)
}

// ask puts one question, for which HAProxy closes the connection when it has answered.
func (a Admin) ask(ctx context.Context, question string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", string(a))
	if err != nil {
		return "", fmt.Errorf("HAProxy does not answer: %w", err)
	}
	defer conn.Close()
	if deadline, limited := ctx.Deadline(); limited {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	if _, err := io.WriteString(conn, question+"\n"); err != nil {
		return "", fmt.Errorf("ask HAProxy: %w", err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return "", fmt.Errorf("read HAProxy's answer: %w", err)
	}
	return string(answer), nil
}

package postgres

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"pigsty/internal/resource"
)

// haproxyAdmin is HAProxy's admin socket.
type haproxyAdmin struct {
	host *resource.Host
	path string
}

// say gives commands and returns what HAProxy answers, which is nothing where all is well. A
// server that a backend does not have is nothing to complain about.
func (a haproxyAdmin) say(ctx context.Context, commands ...string) error {
	for _, command := range commands {
		answer, err := a.ask(ctx, command)
		if err != nil {
			return err
		}
		answer = strings.TrimSpace(answer)
		if answer != "" && !strings.HasPrefix(answer, "No such server") && !strings.HasPrefix(answer, "No such backend") {
			return fmt.Errorf("HAProxy, %s: %s", command, answer)
		}
	}
	return nil
}

func (a haproxyAdmin) ask(ctx context.Context, command string) (string, error) {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", a.host.Path(a.path))
	if err != nil {
		return "", fmt.Errorf("HAProxy's admin socket: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", fmt.Errorf("HAProxy's admin socket: %w", err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return "", fmt.Errorf("HAProxy's admin socket: %w", err)
	}
	return string(answer), nil
}

// haproxyServer is a line of HAProxy's statistics.
type haproxyServer struct {
	sessions string // how many there are now
	status   string // UP, DOWN, DRAIN …
}

// servers are all servers by backend/server.
func (a haproxyAdmin) servers(ctx context.Context) (map[string]haproxyServer, error) {
	text, err := a.ask(ctx, "show stat")
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "# "))).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("HAProxy's statistics: %w", err)
	}
	if len(rows) == 0 {
		return nil, errors.New("HAProxy has no statistics")
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	servers := map[string]haproxyServer{}
	for _, row := range rows[1:] {
		servers[row[at["pxname"]]+"/"+row[at["svname"]]] = haproxyServer{row[at["scur"]], row[at["status"]]}
	}
	return servers, nil
}

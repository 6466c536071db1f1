package resource

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/coreos/go-systemd/v22/dbus"
)

// dbusSystemd talks to systemd over its private socket, or over the system bus where that is
// all there is. The connection is made when first needed, and again after systemd restarted
// itself, as it does when its own package is upgraded.
type dbusSystemd struct {
	exec Executor // for journalctl, after a failure

	mu   sync.Mutex
	conn *dbus.Conn
	// enabled are units whose links were made since systemd last read its units. It answers
	// with the state from before until it does.
	enabled map[string]bool
}

func (s *dbusSystemd) connect() (*dbus.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && s.conn.Connected() {
		return s.conn, nil
	}
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
	// The context of a connection ends it, so it is not that of the first call.
	conn, err := dbus.NewSystemdConnectionContext(context.Background())
	if err != nil {
		var second error
		if conn, second = dbus.NewSystemConnectionContext(context.Background()); second != nil {
			return nil, fmt.Errorf("systemd does not answer, is it this machine's init? %w", errors.Join(err, second))
		}
	}
	s.conn = conn
	return conn, nil
}

// State asks for all properties of a unit in one call; systemd loads the unit if need be.
func (s *dbusSystemd) State(ctx context.Context, unit string) (UnitState, error) {
	state, _, err := s.properties(ctx, unit)
	return state, err
}

func (s *dbusSystemd) properties(ctx context.Context, unit string) (UnitState, map[string]any, error) {
	p, err := s.ask(ctx, unit)
	if err != nil {
		return UnitState{}, nil, fmt.Errorf("ask systemd about %s: %w", unit, err)
	}
	text := func(name string) string {
		value, _ := p[name].(string)
		return value
	}
	stale, _ := p["NeedDaemonReload"].(bool)
	state := UnitState{
		Load:       text("LoadState"),
		Active:     text("ActiveState"),
		File:       text("UnitFileState"),
		NeedReload: stale,
	}
	if fragment := text("FragmentPath"); fragment != "" {
		state.Files = append(state.Files, fragment)
	}
	dropIns, _ := p["DropInPaths"].([]string)
	state.Files = append(state.Files, dropIns...)
	if s.enabled[unit] {
		state.File = "enabled"
	}
	return state, p, nil
}

// ask asks a second time when systemd turns out to have closed the connection since the last
// question.
func (s *dbusSystemd) ask(ctx context.Context, unit string) (map[string]any, error) {
	conn, err := s.connect()
	if err != nil {
		return nil, err
	}
	p, err := conn.GetUnitPropertiesContext(ctx, unit)
	if err == nil || conn.Connected() {
		return p, err
	}
	if conn, err = s.connect(); err != nil {
		return nil, err
	}
	return conn.GetUnitPropertiesContext(ctx, unit)
}

package resource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
)

// dbusSystemd talks to systemd over its private socket, or over the system bus where that is
// all there is. The connection is made when first needed, and again after systemd restarted
// itself, as it does when its own package is upgraded.
type dbusSystemd struct {
	exec Executor // for journalctl, after a failure

	mu   sync.Mutex
	conn *dbus.Conn
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
	conn, err := s.connect()
	if err != nil {
		return UnitState{}, nil, err
	}
	p, err := conn.GetUnitPropertiesContext(ctx, unit)
	if err != nil {
		return UnitState{}, nil, fmt.Errorf("ask systemd about %s: %w", unit, err)
	}
	text := func(name string) string {
		value, _ := p[name].(string)
		return value
	}
	stale, _ := p["NeedDaemonReload"].(bool)
	return UnitState{
		Load:       text("LoadState"),
		Active:     text("ActiveState"),
		File:       text("UnitFileState"),
		NeedReload: stale,
	}, p, nil
}

func (s *dbusSystemd) Start(ctx context.Context, unit string) error {
	return s.job(ctx, unit, "start", (*dbus.Conn).StartUnitContext)
}

func (s *dbusSystemd) Stop(ctx context.Context, unit string) error {
	return s.job(ctx, unit, "stop", (*dbus.Conn).StopUnitContext)
}

func (s *dbusSystemd) Restart(ctx context.Context, unit string) error {
	return s.job(ctx, unit, "restart", (*dbus.Conn).RestartUnitContext)
}

func (s *dbusSystemd) Reload(ctx context.Context, unit string) error {
	return s.job(ctx, unit, "reload", (*dbus.Conn).ReloadUnitContext)
}

type startJob func(c *dbus.Conn, ctx context.Context, unit, mode string, done chan<- string) (int, error)

// job queues a job and waits for its end.
func (s *dbusSystemd) job(ctx context.Context, unit, verb string, start startJob) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	done := make(chan string, 1)
	if _, err := start(conn, ctx, unit, "replace", done); err != nil {
		return fmt.Errorf("%s %s: %w", verb, unit, err)
	}
	result, err := await(ctx, conn, done)
	if err != nil {
		return fmt.Errorf("%s %s: %w", verb, unit, err)
	}
	// "skipped" means that the unit's state left nothing to do.
	if result != "done" && result != "skipped" {
		return s.failure(ctx, unit, verb, result)
	}
	if verb == "start" || verb == "restart" {
		return s.settle(ctx, conn, unit, verb)
	}
	return nil
}

// await returns the job's result. The end of the connection is watched for too: after it no
// result can come.
func await(ctx context.Context, conn *dbus.Conn, done <-chan string) (string, error) {
	alive := time.NewTicker(time.Second)
	defer alive.Stop()
	for {
		select {
		case result := <-done:
			return result, nil
		case <-ctx.Done():
			return "", ctx.Err()
		case <-alive.C:
			if !conn.Connected() {
				return "", errors.New("systemd closed the connection before the job ended")
			}
		}
	}
}

// settleTime is how long a service that is called started as soon as its process exists is
// watched: one with a mistake in its settings ends within it.
const settleTime = 300 * time.Millisecond

// settle finds out whether the unit that started is still there.
func (s *dbusSystemd) settle(ctx context.Context, conn *dbus.Conn, unit, verb string) error {
	if !strings.HasSuffix(unit, ".service") {
		return nil
	}
	p, err := conn.GetUnitTypePropertyContext(ctx, unit, "Service", "Type")
	if err != nil {
		return fmt.Errorf("ask systemd about %s: %w", unit, err)
	}
	kind, _ := p.Value.Value().(string)
	if kind == "oneshot" {
		return nil
	}
	if kind == "simple" || kind == "exec" {
		time.Sleep(settleTime)
	}
	state, all, err := s.properties(ctx, unit)
	if err != nil {
		return err
	}
	met, known := all["ConditionResult"].(bool)
	switch {
	case state.Active == "inactive" && known && !met:
		return fmt.Errorf("%s did not %s: a condition in its unit file is not met", unit, verb)
	case state.Active == "failed", state.Active == "inactive", all["SubState"] == "auto-restart":
		return s.failure(ctx, unit, verb, "it ended at once")
	}
	return nil
}

// failure is an error that carries what the unit said last.
func (s *dbusSystemd) failure(ctx context.Context, unit, verb, result string) error {
	said, err := s.exec.Run(ctx, Command{Argv: []string{"journalctl", "-u", unit, "-n", "15", "--no-pager", "-o", "cat"}})
	if text := strings.TrimSpace(string(said)); err == nil && text != "" {
		return fmt.Errorf("%s did not %s (%s); its journal ends:\n  %s", unit, verb, result, strings.ReplaceAll(text, "\n", "\n  "))
	}
	return fmt.Errorf("%s did not %s (%s), and its journal is empty", unit, verb, result)
}

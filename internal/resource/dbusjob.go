package resource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
)

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
	if verb == "start" || verb == "restart" {
		// A service that failed often of late is refused until its counter is reset. A unit
		// that has not failed has none, which is no error worth telling.
		_ = conn.ResetFailedUnitContext(ctx, unit)
	}
	began := time.Now()
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
		return s.failure(ctx, unit, verb, result, began)
	}
	if verb == "start" || verb == "restart" {
		return s.settle(ctx, conn, unit, verb, began)
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
func (s *dbusSystemd) settle(ctx context.Context, conn *dbus.Conn, unit, verb string, began time.Time) error {
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
	switch unmet := unmetCondition(all); {
	case state.Active == "inactive" && unmet != "":
		return fmt.Errorf("%s did not %s: its unit file asks for %s, which is not so on this node", unit, verb, unmet)
	case state.Active == "failed", state.Active == "inactive", all["SubState"] == "auto-restart":
		return s.failure(ctx, unit, verb, "it ended at once", began)
	}
	return nil
}

// unmetCondition is the first condition of the unit that kept it from starting, as its file has
// it; empty when none did.
func unmetCondition(properties map[string]any) string {
	if met, known := properties["ConditionResult"].(bool); met || !known {
		return ""
	}
	conditions, _ := properties["Conditions"].([][]any)
	for _, c := range conditions {
		// Name, whether one of several is enough, whether it is negated, parameter, result.
		if len(c) != 5 {
			continue
		}
		if result, ok := c[4].(int32); ok && result < 0 {
			return fmt.Sprintf("%v=%v", c[0], c[3])
		}
	}
	return "a condition"
}

// failure is an error that carries what the unit has said since the job began.
func (s *dbusSystemd) failure(ctx context.Context, unit, verb, result string, began time.Time) error {
	said, err := s.exec.Run(ctx, Command{Argv: []string{
		"journalctl", "-u", unit, "--since", fmt.Sprintf("@%d", began.Unix()), "-n", "15", "--no-pager", "-o", "cat", "-q",
	}})
	text := strings.TrimSpace(string(said))
	if err != nil || text == "" {
		return fmt.Errorf("%s did not %s (%s), and its journal says nothing", unit, verb, result)
	}
	return fmt.Errorf("%s did not %s (%s); its journal ends:\n  %s", unit, verb, result, strings.ReplaceAll(text, "\n", "\n  "))
}

package simulate

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"pigsty/internal/resource"
)

// Systemd imitates systemd: a unit exists when its file does, is enabled or masked by links as
// on a real system, and is up from Start to Stop.
type Systemd struct {
	// Fail, where set, is asked before each call that changes something ("start", "reload",
	// "daemon-reload" …); its error becomes the call's.
	Fail func(verb, unit string) error

	node   node
	broken error // why the node could not be furnished

	mu    sync.Mutex
	calls []string
}

var _ resource.Systemd = (*Systemd)(nil)

// Calls returns what changed something, such as "start etcd.service", in order.
func (s *Systemd) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

func (s *Systemd) asked(verb, unit string) error {
	s.mu.Lock()
	s.calls = append(s.calls, strings.TrimSpace(verb+" "+unit))
	s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	if s.Fail != nil {
		return s.Fail(verb, unit)
	}
	return nil
}

// State reads the unit's state from the node's files.
func (s *Systemd) State(_ context.Context, unit string) (resource.UnitState, error) {
	if s.broken != nil {
		return resource.UnitState{}, s.broken
	}
	state := resource.UnitState{Load: "not-found", Active: "inactive"}
	if s.node.exists(activeDir + "/" + unit) {
		state.Active = "active"
	}
	if s.node.masked(unit) {
		state.Load, state.File = "masked", "masked"
		return state, nil
	}
	text, found := s.node.unitText(unit)
	if !found {
		return state, nil
	}
	state.Load = "loaded"
	if path, ok := s.node.unitFile(unit); ok {
		state.Files = []string{path}
	}
	if state.Active == "active" {
		loaded, err := s.node.read(activeDir + "/" + unit)
		if err != nil {
			return state, err
		}
		state.NeedReload = loaded != text
	}
	switch {
	case s.node.enabled(unit):
		state.File = "enabled"
	case strings.Contains(text, "[Install]"):
		state.File = "disabled"
	default:
		state.File = "static"
	}
	return state, nil
}

// Start brings the unit up.
func (s *Systemd) Start(ctx context.Context, unit string) error {
	return s.run(ctx, "start", unit)
}

// Restart brings the unit up, whether it was or not.
func (s *Systemd) Restart(ctx context.Context, unit string) error {
	return s.run(ctx, "restart", unit)
}

// Reload needs a unit that is up.
func (s *Systemd) Reload(_ context.Context, unit string) error {
	if err := s.asked("reload", unit); err != nil {
		return err
	}
	if !s.node.exists(activeDir + "/" + unit) {
		return fmt.Errorf("%s is not active, cannot reload", unit)
	}
	return nil
}

func (s *Systemd) run(ctx context.Context, verb, unit string) error {
	if err := s.asked(verb, unit); err != nil {
		return err
	}
	state, err := s.State(ctx, unit)
	if err != nil {
		return err
	}
	if state.Load != "loaded" {
		return fmt.Errorf("%s %s: unit is %s", verb, unit, state.Load)
	}
	text, _ := s.node.unitText(unit)
	return s.node.write(activeDir+"/"+unit, text)
}

// Stop brings the unit down.
func (s *Systemd) Stop(_ context.Context, unit string) error {
	if err := s.asked("stop", unit); err != nil {
		return err
	}
	return s.node.remove(activeDir + "/" + unit)
}

// Enable links the unit to the target that boots it.
func (s *Systemd) Enable(_ context.Context, unit string) error {
	if err := s.asked("enable", unit); err != nil {
		return err
	}
	if _, found := s.node.unitText(unit); !found || s.node.masked(unit) {
		return fmt.Errorf("enable %s: unit file does not exist, or is masked", unit)
	}
	return s.node.enable(unit)
}

// Disable removes what Enable made.
func (s *Systemd) Disable(_ context.Context, unit string) error {
	if err := s.asked("disable", unit); err != nil {
		return err
	}
	return s.node.remove(wantsDir + "/" + unit)
}

// Mask links the unit to nothing.
func (s *Systemd) Mask(_ context.Context, unit string) error {
	if err := s.asked("mask", unit); err != nil {
		return err
	}
	return s.node.link(unitDir+"/"+unit, "/dev/null")
}

// Unmask removes what Mask made.
func (s *Systemd) Unmask(_ context.Context, unit string) error {
	if err := s.asked("unmask", unit); err != nil {
		return err
	}
	return s.node.remove(unitDir + "/" + unit)
}

// ReadUnits has the units that are up know their files as they are now.
func (s *Systemd) ReadUnits(context.Context) error {
	if err := s.asked("daemon-reload", ""); err != nil {
		return err
	}
	up, err := filepath.Glob(s.node.path(activeDir + "/*"))
	if err != nil {
		return err
	}
	for _, path := range up {
		unit := filepath.Base(path)
		text, _ := s.node.unitText(unit)
		if err := s.node.write(activeDir+"/"+unit, text); err != nil {
			return err
		}
	}
	return nil
}

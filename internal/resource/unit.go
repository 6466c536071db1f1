package resource

import (
	"context"
	"path/filepath"
	"strings"
)

var (
	_ Resource = (*Unit)(nil)
	_          = register(func() Resource { return &Unit{} })
)

// Unit is a systemd unit that runs (or does not) now and at boot. It is also where
// notifications are answered: a unit that was notified reloads or restarts, once, when its turn
// comes in the listing.
type Unit struct {
	Unit    string `json:"unit"` // with its suffix, such as "etcd.service"
	Stopped bool   `json:"stopped,omitempty"`
	// Disabled units do not start at boot.
	Disabled bool `json:"disabled,omitempty"`
	// RestartImpact and ReloadImpact are what taking notice costs users.
	RestartImpact Impact `json:"restart_impact,omitempty"`
	ReloadImpact  Impact `json:"reload_impact,omitempty"`
}

func (u *Unit) Kind() string { return "unit" }
func (u *Unit) Name() string { return u.Unit }

// Diff compares enablement and activity, and answers what the unit was notified of.
func (u *Unit) Diff(ctx context.Context, h *Host) (*Change, error) {
	state, err := h.Systemd.State(ctx, u.Unit)
	if err != nil {
		return nil, err
	}
	c := &Change{Action: Update}
	if state.Load == "not-found" && !(u.Stopped && u.Disabled) {
		c.Action = Create
	}
	if u.Disabled {
		if enabled(state.File) {
			c.Add("boot", state.File, "disabled")
		}
	} else if !enabled(state.File) {
		c.Add("boot", state.File, "enabled")
	}
	running := state.Active == "active" || state.Active == "reloading"
	switch {
	case u.Stopped:
		if running || state.Active == "activating" {
			c.Add("state", state.Active, "stopped")
		}
	case !running:
		c.Add("state", state.Active, "running")
	default:
		u.answer(h, c)
	}
	return c.OrNil(), nil
}

// answer adds what the running unit was asked to do.
func (u *Unit) answer(h *Host, c *Change) {
	switch h.notice(u.Unit) {
	case NoticeRestart:
		c.Action = Run
		c.Fields = append(c.Fields, Field{Name: "restart", Before: "old settings", After: "new settings"})
		c.Impact = u.RestartImpact
	case NoticeReload:
		c.Action = Run
		c.Fields = append(c.Fields, Field{Name: "reload", Before: "old settings", After: "new settings"})
		c.Impact = max(u.ReloadImpact, Reload)
	}
}

func enabled(file string) bool {
	switch file {
	case "enabled", "static", "alias", "indirect", "generated":
		return true
	}
	return false
}

// Apply brings the unit to its state and answers notifications.
func (u *Unit) Apply(ctx context.Context, h *Host) error {
	if err := u.readUnits(ctx, h); err != nil {
		return err
	}
	state, err := h.Systemd.State(ctx, u.Unit)
	if err != nil {
		return err
	}
	if err := u.enable(ctx, h, state); err != nil {
		return err
	}
	running := state.Active == "active" || state.Active == "reloading"
	switch notice := h.notice(u.Unit); {
	case u.Stopped:
		if state.Load != "not-found" {
			err = h.Systemd.Stop(ctx, u.Unit)
		}
	case !running:
		err = h.Systemd.Start(ctx, u.Unit)
	case notice == NoticeRestart:
		err = h.Systemd.Restart(ctx, u.Unit)
	case notice == NoticeReload:
		err = h.Systemd.Reload(ctx, u.Unit)
	}
	if err != nil {
		return err
	}
	return h.noticeTaken(u.Unit)
}

func (u *Unit) enable(ctx context.Context, h *Host, state UnitState) error {
	if u.Disabled {
		if enabled(state.File) {
			return h.Systemd.Disable(ctx, u.Unit)
		}
		return nil
	}
	if enabled(state.File) {
		return nil
	}
	return h.Systemd.Enable(ctx, u.Unit)
}

// readUnits lets systemd read unit files that this run or an interrupted one has changed.
func (u *Unit) readUnits(ctx context.Context, h *Host) error {
	state, err := h.Systemd.State(ctx, u.Unit)
	if err != nil {
		return err
	}
	h.mu.Lock()
	stale := h.reload || state.NeedReload
	h.reload = false
	h.mu.Unlock()
	if !stale {
		return nil
	}
	return h.Systemd.ReadUnits(ctx)
}

// wrote tells the host that a file has changed; unit files make systemd's picture stale.
func (h *Host) wrote(path string) {
	if strings.HasPrefix(filepath.Dir(path), "/etc/systemd/system") {
		h.mu.Lock()
		h.reload = true
		h.mu.Unlock()
	}
}

package resource

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

var (
	_ Resource = (*Unit)(nil)
	_          = Register(func() Resource { return &Unit{} })
)

// Unit is a systemd unit that runs (or does not) now and at boot. It is also where
// notifications are answered: a unit that was notified reloads or restarts, once, when its turn
// comes in the listing. A service that ends by itself (Type=oneshot without RemainAfterExit) is
// no Unit; the timer that starts it is.
type Unit struct {
	Unit    string `json:"unit"` // with its suffix, such as "etcd.service"
	Stopped bool   `json:"stopped,omitempty"`
	// Disabled units do not start at boot. A unit that others pull in (static) counts as both.
	Disabled bool `json:"disabled,omitempty"`
	// Masked units cannot be started by anybody, and are stopped: such as a service of a
	// package whose work Patroni does.
	Masked bool `json:"masked,omitempty"`
	// RestartImpact and ReloadImpact are what taking notice costs users.
	RestartImpact Impact `json:"restart_impact,omitempty"`
	ReloadImpact  Impact `json:"reload_impact,omitempty"`
	// StopEffect says what stopping means for users, such as "PostgreSQL stops with it"; empty
	// when RestartImpact says it all.
	StopEffect string `json:"stop_effect,omitempty"`
}

func (u *Unit) Kind() string { return "unit" }
func (u *Unit) Name() string { return u.Unit }

func (u *Unit) stopped() bool { return u.Stopped || u.Masked }

// Diff compares enablement and activity, and answers what the unit was notified of.
func (u *Unit) Diff(ctx context.Context, h *Host) (*Change, error) {
	state, err := h.Systemd.State(ctx, u.Unit)
	if err != nil {
		return nil, err
	}
	c := &Change{Action: Update}
	if state.Load == "not-found" && !u.stopped() {
		c.Action = Create
	}
	if want := u.boot(state); want != "" {
		c.Add("boot", state.File, want)
	}
	switch {
	case u.stopped():
		if state.Running() || state.Active == "activating" {
			c.Add("state", state.Active, "stopped")
			c.Impact, c.Effect = u.RestartImpact, u.StopEffect
		}
	case !state.Running():
		c.Add("state", state.Active, "running")
	default:
		u.answer(h, c)
	}
	return c.OrNil(), nil
}

// boot is what the unit's file state has to become; empty when it is right.
func (u *Unit) boot(state UnitState) string {
	switch {
	case u.Masked && !state.Masked():
		return "masked"
	case u.Masked:
		return ""
	case u.Disabled:
		// A unit that is not there does not start at boot, and neither does a masked one.
		if state.File == "enabled" || state.File == "enabled-runtime" {
			return "disabled"
		}
	case !startsAtBoot(state.File) && !(u.Stopped && state.Load == "not-found"):
		return "enabled"
	}
	return ""
}

// startsAtBoot tells whether nothing is left to enable: a static unit has no [Install] section
// and is pulled in by others, a generated one comes from an init script.
func startsAtBoot(file string) bool {
	switch file {
	case "enabled", "static", "alias", "indirect", "generated":
		return true
	}
	return false
}

// answer adds what the running unit was asked to do.
func (u *Unit) answer(h *Host, c *Change) {
	switch h.PendingNotice(u.Unit) {
	case NoticeRestart:
		c.Action = Run
		c.Add("restart", "old settings", "new settings")
		c.Impact = u.RestartImpact
	case NoticeReload:
		c.Action = Run
		c.Add("reload", "old settings", "new settings")
		c.Impact = max(u.ReloadImpact, Reload)
	}
}

// Apply brings the unit to its state and answers notifications.
func (u *Unit) Apply(ctx context.Context, h *Host) error {
	state, err := u.fresh(ctx, h)
	if err != nil {
		return err
	}
	if state.Load == "not-found" && !u.stopped() {
		return fmt.Errorf("%s is not on the node: the package or file that brings it is missing", u.Unit)
	}
	if state.Load == "bad-setting" || state.Load == "error" {
		return fmt.Errorf("systemd cannot read the file of %s: see systemctl status %s", u.Unit, u.Unit)
	}
	// Stopped first: masking a running service leaves it running, out of its manager's reach.
	if u.stopped() && state.Load != "not-found" && state.Active != "inactive" && state.Active != "failed" {
		if err := h.Systemd.Stop(ctx, u.Unit); err != nil {
			return err
		}
	}
	if err := u.setBoot(ctx, h, state); err != nil {
		return err
	}
	if !u.stopped() {
		if err := u.bringUp(ctx, h, state); err != nil {
			return err
		}
	}
	return h.Unmark(u.Unit)
}

// fresh is the unit's state by its files as they are now. systemd reads new files by itself, but
// those of a unit it has loaded only when told, and it does not always say that it should be: a
// first drop-in in a new folder escapes Debian 12's. So it is told, too, after this run wrote
// such a file that it does not name, or an earlier one was cut short before the unit took notice.
// Not more often than that: systemd starts a dozen programs each time, for some tenths of a second.
func (u *Unit) fresh(ctx context.Context, h *Host) (UnitState, error) {
	state, err := h.Systemd.State(ctx, u.Unit)
	if err != nil || !state.NeedReload && !h.unread(u.Unit, state) && !h.inherited(u.Unit) {
		return state, err
	}
	if err := h.Systemd.ReadUnits(ctx); err != nil {
		return state, err
	}
	h.unitFiles = nil
	return h.Systemd.State(ctx, u.Unit)
}

const unitFolder = "/etc/systemd/system/"

// wroteUnit remembers the path if it is that of a unit's file or drop-in, written or removed.
func (h *Host) wroteUnit(path string) {
	if strings.HasPrefix(path, unitFolder) {
		h.unitFiles = append(h.unitFiles, path)
	}
}

// unread tells whether this run wrote a drop-in of the unit, or a file in place of its
// package's, that systemd does not name among the unit's files. One that it names it has read;
// whether it has read the latest, NeedReload says.
func (h *Host) unread(unit string, state UnitState) bool {
	return slices.ContainsFunc(h.unitFiles, func(path string) bool {
		name, dropIn := strings.CutSuffix(filepath.Base(filepath.Dir(path)), ".d")
		if !dropIn {
			name = filepath.Base(path)
		}
		return (name == unit || name == template(unit)) && !slices.Contains(state.Files, path)
	})
}

// template is the name of the file that a unit such as redis@6379.service is made from.
func template(unit string) string {
	name, instance, is := strings.Cut(unit, "@")
	if !is {
		return unit
	}
	return name + "@" + filepath.Ext(instance)
}

func (u *Unit) bringUp(ctx context.Context, h *Host, state UnitState) error {
	notice := h.PendingNotice(u.Unit)
	switch {
	case !state.Running():
		return h.Systemd.Start(ctx, u.Unit)
	case notice == NoticeRestart:
		return h.Systemd.Restart(ctx, u.Unit)
	case notice == NoticeReload:
		return h.Systemd.Reload(ctx, u.Unit)
	}
	return nil
}

func (u *Unit) setBoot(ctx context.Context, h *Host, state UnitState) error {
	want := u.boot(state)
	if state.Masked() && !u.Masked && want == "enabled" {
		if err := h.Systemd.Unmask(ctx, u.Unit); err != nil {
			return err
		}
		// What lies under the mask may be enabled already, or have nothing to enable.
		fresh, err := h.Systemd.State(ctx, u.Unit)
		if err != nil {
			return err
		}
		want = u.boot(fresh)
	}
	switch want {
	case "masked":
		return h.Systemd.Mask(ctx, u.Unit)
	case "enabled":
		return h.Systemd.Enable(ctx, u.Unit)
	case "disabled":
		return h.Systemd.Disable(ctx, u.Unit)
	}
	return nil
}

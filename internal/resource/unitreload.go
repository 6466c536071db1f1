package resource

import "context"

var (
	_ Resource = (*UnitReload)(nil)
	_          = Register(func() Resource { return &UnitReload{} })
)

// UnitReload lets a unit of another part of the platform read what was put there for it: Unit answers for
// those who set the service up, and is not in a run that concerns others alone. Steps that change
// something notify Notice, not the unit.
type UnitReload struct {
	Unit   string `json:"unit"`
	Notice string `json:"notice"` // under which it is noted that there is something to read
}

func (r *UnitReload) Kind() string { return "unit_reload" }
func (r *UnitReload) Name() string { return r.Notice }

// Diff is a change when something was put there, by this run or one that was cut short.
func (r *UnitReload) Diff(_ context.Context, h *Host) (*Change, error) {
	if h.PendingNotice(r.Notice) == "" {
		return nil, nil
	}
	c := &Change{Action: Run, Impact: Reload}
	c.Add("reload", "", r.Unit)
	return c, nil
}

// Apply reloads the unit if it runs; otherwise it reads everything when it starts.
func (r *UnitReload) Apply(ctx context.Context, h *Host) error {
	state, err := h.Systemd.State(ctx, r.Unit)
	if err != nil {
		return err
	}
	if state.Running() {
		if err := h.Systemd.Reload(ctx, r.Unit); err != nil {
			return err
		}
	}
	return h.Unmark(r.Notice)
}

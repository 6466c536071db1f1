package resource

import "context"

// UnitState is what systemd says of a unit.
type UnitState struct {
	Load       string // loaded, not-found, masked …
	Active     string // active, reloading, inactive, failed, activating …
	File       string // enabled, disabled, static, masked …; empty when there is no file
	NeedReload bool   // its file changed since systemd read it

	// Files are its file and drop-ins, as far as systemd has read them.
	Files []string
}

// Running tells whether the unit is up.
func (s UnitState) Running() bool { return s.Active == "active" || s.Active == "reloading" }

// Masked tells whether the unit is kept from starting at all.
func (s UnitState) Masked() bool { return s.File == "masked" || s.File == "masked-runtime" }

// Systemd is the part of a service manager that resources need.
type Systemd interface {
	// State returns a unit's state; a unit that does not exist has Load "not-found".
	State(ctx context.Context, unit string) (UnitState, error)
	// Start, Stop, Restart and Reload return when the job is done, or with what the unit said
	// when it failed.
	Start(ctx context.Context, unit string) error
	Stop(ctx context.Context, unit string) error
	Restart(ctx context.Context, unit string) error
	Reload(ctx context.Context, unit string) error
	Enable(ctx context.Context, unit string) error
	Disable(ctx context.Context, unit string) error
	// Mask keeps a unit from being started by anybody; the unit need not exist yet.
	Mask(ctx context.Context, unit string) error
	Unmask(ctx context.Context, unit string) error
	// ReadUnits makes systemd read its unit files again (daemon-reload).
	ReadUnits(ctx context.Context) error
}

package resource

import "context"

var (
	_ Resource = (*UnitFilesRead)(nil)
	_          = Register(func() Resource { return &UnitFilesRead{} })
)

// UnitFilesRead lets systemd read its units again when the run has written or removed files of
// units that it does not look at afterwards. List it last.
type UnitFilesRead struct{}

func (u *UnitFilesRead) Kind() string { return "unit_files" }
func (u *UnitFilesRead) Name() string { return "systemd" }

// Diff is a change after such a step of the same run; a plan shows none.
func (u *UnitFilesRead) Diff(_ context.Context, h *Host) (*Change, error) {
	if len(h.unitFiles) == 0 {
		return nil, nil
	}
	return &Change{Action: Run}, nil
}

// Apply is daemon-reload.
func (u *UnitFilesRead) Apply(ctx context.Context, h *Host) error {
	if err := h.Systemd.ReadUnits(ctx); err != nil {
		return err
	}
	h.unitFiles = nil
	return nil
}

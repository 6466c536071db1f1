package resource

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

const (
	tunedProfileFile = "/etc/tuned/active_profile"
	tunedModeFile    = "/etc/tuned/profile_mode"
)

var (
	_ Resource = (*TunedActive)(nil)
	_          = register(func() Resource { return &TunedActive{} })
)

// TunedActive is the profile that tuned applies. The profile's own files are not its concern.
type TunedActive struct {
	Profile string `json:"profile"` // a folder below /etc/tuned or /usr/lib/tuned
}

func (t *TunedActive) Kind() string { return "tuned" }
func (t *TunedActive) Name() string { return t.Profile }

// Diff compares the profile tuned was last told to use.
func (t *TunedActive) Diff(_ context.Context, h *Host) (*Change, error) {
	active, err := readTrimmed(h, tunedProfileFile)
	if err != nil {
		return nil, err
	}
	c := &Change{Action: Update}
	c.Add("profile", active, t.Profile)
	return c.OrNil(), nil
}

// Apply switches to the profile. In a container much of a profile is refused: then the choice
// is recorded, as tuned-adm itself would, and a note says so.
func (t *TunedActive) Apply(ctx context.Context, h *Host) error {
	err := h.run(ctx, "tuned-adm", "profile", t.Profile)
	if err == nil {
		return nil
	}
	if !h.Container {
		return fmt.Errorf("switch tuned to profile %s: %w", t.Profile, err)
	}
	h.Note("tuned cannot apply profile %s from inside a container: %v", t.Profile, err)
	if err := os.MkdirAll(filepath.Dir(h.Path(tunedProfileFile)), 0o755); err != nil {
		return err
	}
	if err := writeAtomic(h.Path(tunedModeFile), []byte("manual\n"), 0o644, -1, -1); err != nil {
		return err
	}
	return writeAtomic(h.Path(tunedProfileFile), []byte(t.Profile+"\n"), 0o644, -1, -1)
}

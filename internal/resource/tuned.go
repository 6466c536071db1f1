package resource

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	tunedProfileFile = "/etc/tuned/active_profile"
	tunedModeFile    = "/etc/tuned/profile_mode"
)

var (
	_ Resource = (*TunedActive)(nil)
	_          = Register(func() Resource { return &TunedActive{} })
)

// TunedActive is the profile that tuned applies. The profile's own files are not its concern.
type TunedActive struct {
	Profile string `json:"profile"` // name of its folder, such as "oltp"
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

// tunedDirs are where profiles lie: those of version 2.23 (Debian 13) and later, then those of
// before.
var tunedDirs = []string{"/etc/tuned/profiles", "/usr/lib/tuned/profiles", "/etc/tuned", "/usr/lib/tuned"}

// exists tells whether any folder has the profile.
func (t *TunedActive) exists(h *Host) bool {
	return slices.ContainsFunc(tunedDirs, func(dir string) bool {
		_, err := os.Stat(h.Path(filepath.Join(dir, t.Profile, "tuned.conf")))
		return err == nil
	})
}

// Apply records the choice where tuned's daemon reads it as it starts, which is what tuned-adm
// does besides waiting for the daemon's answer: list the daemon's unit after this and have it
// restarted.
func (t *TunedActive) Apply(_ context.Context, h *Host) error {
	if !t.exists(h) {
		return fmt.Errorf("there is no tuned profile %s on the node, below %s", t.Profile, strings.Join(tunedDirs, ", "))
	}
	if h.Container {
		h.Note("tuned can change few kernel settings from inside a container")
	}
	if err := os.MkdirAll(filepath.Dir(h.Path(tunedProfileFile)), 0o755); err != nil {
		return err
	}
	if err := h.WriteFile(tunedModeFile, []byte("manual\n"), 0o644); err != nil {
		return err
	}
	return h.WriteFile(tunedProfileFile, []byte(t.Profile+"\n"), 0o644)
}

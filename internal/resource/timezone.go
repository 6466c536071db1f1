package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pigsty/internal/diag"
)

const (
	localtimeFile = "/etc/localtime"
	timezoneFile  = "/etc/timezone"
	zoneinfoDir   = "/usr/share/zoneinfo"
)

var (
	_ Resource = (*Timezone)(nil)
	_          = Register(func() Resource { return &Timezone{} })
)

// Timezone is the node's time zone. Its data comes with the package tzdata.
type Timezone struct {
	Zone string `json:"zone"` // such as "Asia/Shanghai"
}

func (t *Timezone) Kind() string { return "timezone" }
func (t *Timezone) Name() string { return t.Zone }

func (t *Timezone) data() string { return filepath.Join(zoneinfoDir, t.Zone) }

// Diff compares the link /etc/localtime and the name in /etc/timezone. It names the nearest zone
// when the wanted one does not exist.
func (t *Timezone) Diff(_ context.Context, h *Host) (*Change, error) {
	if err := t.check(h); err != nil {
		return nil, err
	}
	c := &Change{Action: Update}
	target, err := os.Readlink(h.Path(localtimeFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNotLink) {
		return nil, err
	}
	_, zone, _ := strings.Cut(target, "zoneinfo/")
	c.Add("zone", zone, t.Zone)
	name, err := readTrimmed(h, timezoneFile)
	if err != nil {
		return nil, err
	}
	c.Add(timezoneFile, name, t.Zone)
	return c.OrNil(), nil
}

// check finds out whether the zone exists. Without any zone data there is nothing to say yet:
// the package comes with an earlier step.
func (t *Timezone) check(h *Host) error {
	if info, err := os.Stat(h.Path(t.data())); err == nil && info.Mode().IsRegular() {
		return nil
	}
	zones := h.zones()
	if len(zones) == 0 {
		return nil
	}
	if near := diag.Nearest(t.Zone, zones); near != "" {
		return fmt.Errorf("there is no time zone %q, did you mean %q?", t.Zone, near)
	}
	return fmt.Errorf("there is no time zone %q: see the names below %s", t.Zone, zoneinfoDir)
}

// zones lists the names of all zones.
func (h *Host) zones() []string {
	var zones []string
	base := h.Path(zoneinfoDir)
	// What cannot be read only shortens the list of suggestions.
	_ = filepath.WalkDir(base, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		name, err := filepath.Rel(base, path)
		// Names in lower case and with a suffix are tables, not zones.
		if err == nil && name[0] >= 'A' && name[0] <= 'Z' && !strings.Contains(name, ".") {
			zones = append(zones, name)
		}
		return nil
	})
	return zones
}

// Apply points /etc/localtime at the zone, as a relative link the way systemd writes it.
func (t *Timezone) Apply(_ context.Context, h *Host) error {
	if _, err := os.Stat(h.Path(t.data())); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("time zone %s has no data on the node: its package tzdata is missing", t.Zone)
	}
	if err := linkAtomic(h.Path(localtimeFile), ".."+t.data()); err != nil {
		return err
	}
	return h.WriteFile(timezoneFile, []byte(t.Zone+"\n"), 0o644)
}

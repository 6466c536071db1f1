package resource

import (
	"context"
	"fmt"

	"github.com/coreos/go-systemd/v22/dbus"
)

// Enable makes the unit start at boot. What systemd is to do now does not depend on the new
// links, so it reads them once, when the run ends: see finish. systemctl makes the links without
// systemd's knowledge; asked over D-Bus, systemd would call every unit's files outdated until it
// has read all of them again. Init scripts of the same name are left as they are.
func (s *dbusSystemd) Enable(ctx context.Context, unit string) error {
	_, err := s.exec.Run(ctx, Command{
		Argv: []string{"systemctl", "enable", "--quiet", "--force", unit},
		Env:  []string{"SYSTEMD_OFFLINE=1", "SYSTEMCTL_SKIP_SYSV=1", "LC_ALL=C"},
	})
	if err != nil {
		return fmt.Errorf("enable %s: %w", unit, err)
	}
	if s.enabled == nil {
		s.enabled = map[string]bool{}
	}
	s.enabled[unit] = true
	return nil
}

// finish lets systemd see what Enable changed. A run that is killed before leaves a service that
// runs and will start at boot, and a systemd that calls it disabled: the next run finds that,
// enables it again and gets here.
func (s *dbusSystemd) finish(ctx context.Context) error {
	if len(s.enabled) == 0 {
		return nil
	}
	return s.ReadUnits(ctx)
}

// Disable keeps the unit from starting at boot.
func (s *dbusSystemd) Disable(ctx context.Context, unit string) error {
	return s.changeFiles(ctx, "disable", unit, func(c *dbus.Conn, files []string) error {
		_, err := c.DisableUnitFilesContext(ctx, files, false)
		return err
	})
}

// Mask keeps the unit from starting at all.
func (s *dbusSystemd) Mask(ctx context.Context, unit string) error {
	return s.changeFiles(ctx, "mask", unit, func(c *dbus.Conn, files []string) error {
		_, err := c.MaskUnitFilesContext(ctx, files, false, true)
		return err
	})
}

// Unmask undoes Mask.
func (s *dbusSystemd) Unmask(ctx context.Context, unit string) error {
	return s.changeFiles(ctx, "unmask", unit, func(c *dbus.Conn, files []string) error {
		_, err := c.UnmaskUnitFilesContext(ctx, files, false)
		return err
	})
}

// changeFiles changes links to a unit file and lets systemd see it: until it reads its units
// again, it answers with the state from before.
func (s *dbusSystemd) changeFiles(ctx context.Context, verb, unit string, change func(*dbus.Conn, []string) error) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	if err := change(conn, []string{unit}); err != nil {
		return fmt.Errorf("%s %s: %w", verb, unit, err)
	}
	return s.ReadUnits(ctx)
}

// ReadUnits is daemon-reload.
func (s *dbusSystemd) ReadUnits(ctx context.Context) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	if err := conn.ReloadContext(ctx); err != nil {
		return fmt.Errorf("let systemd read its units again: %w", err)
	}
	s.enabled = nil
	return nil
}

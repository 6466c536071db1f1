package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// hostSetting is a kernel setting of the host that nodes need to be at least so high.
type hostSetting struct {
	path  string
	least int
}

// hostSettings let packets pass between networks, and let many nodes run: each systemd takes about
// five of the kernel's inotify instances, of which it gives 128 to all that root starts.
var hostSettings = []hostSetting{
	{"/proc/sys/net/ipv4/ip_forward", 1},
	{"/proc/sys/fs/inotify/max_user_instances", 1024},
}

// before is the file that remembers what the setting was before the first sandbox raised it.
func (s hostSetting) before() string { return filepath.Join(runRoot, filepath.Base(s.path)+".before") }

// raise sets what is lower, and remembers it.
func (s hostSetting) raise() error {
	text, err := os.ReadFile(s.path)
	if err != nil {
		return err
	}
	if value, err := strconv.Atoi(strings.TrimSpace(string(text))); err != nil || value >= s.least {
		return err
	}
	if err := os.MkdirAll(runRoot, 0o755); err != nil {
		return err
	}
	if err := writeFile(s.before(), text, 0o644); err != nil {
		return err
	}
	return os.WriteFile(s.path, []byte(strconv.Itoa(s.least)), 0)
}

// restore undoes raise.
func (s hostSetting) restore() error {
	text, err := os.ReadFile(s.before())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.WriteFile(s.path, text, 0)
	}
	return errors.Join(err, os.Remove(s.before()))
}

// raiseHost gives the host what nodes need of it.
func raiseHost() error {
	for _, s := range hostSettings {
		if err := s.raise(); err != nil {
			return err
		}
	}
	return nil
}

// restoreHost undoes raiseHost, when no sandbox is left.
func restoreHost() error {
	var errs []error
	for _, s := range hostSettings {
		errs = append(errs, s.restore())
	}
	return errors.Join(errs...)
}

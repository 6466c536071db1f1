package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

var (
	_ Resource = (*Sysctl)(nil)
	_          = Register(func() Resource { return &Sysctl{} })
)

// Sysctl is a set of kernel settings, at boot and now. Where a setting of the running kernel
// belongs to somebody else, or is not there, this is noted and only the file is kept.
type Sysctl struct {
	ID       string            `json:"id"`       // names the file /etc/sysctl.d/<ID>.conf
	Settings map[string]string `json:"settings"` // such as "vm.swappiness": "10"
}

func (s *Sysctl) Kind() string { return "sysctl" }
func (s *Sysctl) Name() string { return s.ID }

func (s *Sysctl) file() *File {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(s.Settings)) {
		fmt.Fprintf(&text, "%s = %s\n", key, s.Settings[key])
	}
	return &File{Path: "/etc/sysctl.d/" + s.ID + ".conf", Content: text.String()}
}

// Diff compares the file and the running values.
func (s *Sysctl) Diff(ctx context.Context, h *Host) (*Change, error) {
	c, err := s.file().Diff(ctx, h)
	if err != nil {
		return nil, err
	}
	if c == nil {
		c = &Change{Action: Update}
	}
	differing, err := s.differing(h)
	if err != nil {
		return nil, err
	}
	for _, d := range differing {
		c.Add(d.key, d.running, s.Settings[d.key])
	}
	return c.OrNil(), nil
}

// setting is a kernel setting whose running value differs and can be changed.
type setting struct{ key, path, running string }

// differing lists what has to be written into the running kernel, in order of name. What cannot
// be changed from here becomes a note.
func (s *Sysctl) differing(h *Host) ([]setting, error) {
	var differing []setting
	var refused, unknown []string
	for _, key := range slices.Sorted(maps.Keys(s.Settings)) {
		path := h.Path(procPath(key))
		value, err := os.ReadFile(path)
		switch running := strings.Join(strings.Fields(string(value)), " "); {
		case errors.Is(err, fs.ErrNotExist):
			unknown = append(unknown, key)
		case err != nil && !errors.Is(err, fs.ErrPermission):
			return nil, fmt.Errorf("read the running value of %s: %w", key, err)
		case running == strings.Join(strings.Fields(s.Settings[key]), " "):
		case !h.ownsSetting(key) || unix.Access(path, unix.W_OK) != nil:
			refused = append(refused, key)
		default:
			differing = append(differing, setting{key, path, running})
		}
	}
	s.note(h, refused, unknown)
	return differing, nil
}

func (s *Sysctl) note(h *Host, refused, unknown []string) {
	if len(refused) > 0 {
		h.Note("kernel settings cannot be changed from inside a container: %d of %d differ, first %s", len(refused), len(s.Settings), refused[0])
	}
	if len(unknown) > 0 && !h.Container {
		h.Note("the running kernel has no setting %s: its module may not be loaded", strings.Join(unknown, ", "))
	}
}

// ownsSetting tells whether a setting is the node's own. A container has a network of its own;
// everything else is the host's, even where it could be written.
func (h *Host) ownsSetting(key string) bool {
	return !h.Container || strings.HasPrefix(procPath(key), "/proc/sys/net/")
}

// procPath is where a setting lies. A dot separates levels, unless the name uses slashes, as
// that of an interface with a dot in its name must.
func procPath(key string) string {
	if !strings.Contains(key, "/") {
		key = strings.ReplaceAll(key, ".", "/")
	}
	return "/proc/sys/" + key
}

// Apply writes the file and the running values.
func (s *Sysctl) Apply(ctx context.Context, h *Host) error {
	if c, err := s.file().Diff(ctx, h); err != nil {
		return err
	} else if c != nil {
		if err := s.file().Apply(ctx, h); err != nil {
			return err
		}
	}
	differing, err := s.differing(h)
	if err != nil {
		return err
	}
	for _, d := range differing {
		err := os.WriteFile(d.path, []byte(s.Settings[d.key]+"\n"), 0)
		if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ERANGE) {
			return fmt.Errorf("the kernel does not take %q for %s: the value is out of its range", s.Settings[d.key], d.key)
		}
		if err != nil {
			return fmt.Errorf("set %s: %w", d.key, err)
		}
	}
	return nil
}

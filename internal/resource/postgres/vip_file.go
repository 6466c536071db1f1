package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*VIPFile)(nil)
	_                   = resource.Register(func() resource.Resource { return &VIPFile{} })
)

// VIPFile is vip-manager's configuration: a file that also takes an address off the node that it
// no longer names. vip-manager leaves its address where it is when it stops, which makes its
// restarts cost nothing, and would leave an address that is given up to nobody. List its unit
// after it, and notify that of a restart.
type VIPFile struct {
	Path    string `json:"path"`
	Content string `json:"content"`
	Unit    string `json:"unit"` // vip-manager's
	// Absent takes the address off the node and removes the file.
	Absent bool `json:"absent,omitempty"`
}

func (f *VIPFile) Kind() string { return "vip_file" }
func (f *VIPFile) Name() string { return f.Path }

func (f *VIPFile) file() *resource.File {
	return &resource.File{Path: f.Path, Content: f.Content, Absent: f.Absent}
}

// Diff compares the file.
func (f *VIPFile) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	c, err := f.file().Diff(ctx, h)
	if err != nil || c == nil {
		return c, err
	}
	old, err := f.givenUp(h)
	if err == nil && old.IP != "" {
		c.Impact, c.Effect = resource.Restart, old.IP+" goes away"
	}
	return c, err
}

// virtualAddress is the part of the file that says which address is put where.
type virtualAddress struct {
	IP        string `yaml:"ip"`
	Netmask   int    `yaml:"netmask"`
	Interface string `yaml:"interface"`
}

// givenUp is the address of the file that is there, when that is to go or the new one names
// another address or interface; empty otherwise.
func (f *VIPFile) givenUp(h *resource.Host) (virtualAddress, error) {
	var before, after virtualAddress
	text, err := os.ReadFile(h.Path(f.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return virtualAddress{}, nil
	}
	if err != nil {
		return virtualAddress{}, err
	}
	// The package's example, or what somebody made of the file, may be no YAML of ours.
	if yaml.Unmarshal(text, &before) != nil || before.Interface == "" {
		return virtualAddress{}, nil
	}
	if f.Absent {
		return before, nil
	}
	if err := yaml.Unmarshal([]byte(f.Content), &after); err != nil {
		return virtualAddress{}, fmt.Errorf("%s: %w", f.Path, err)
	}
	if before.IP == after.IP && before.Interface == after.Interface {
		return virtualAddress{}, nil
	}
	return before, nil
}

// Apply writes or removes the file, last: a run that is cut short finds the old address in it again.
func (f *VIPFile) Apply(ctx context.Context, h *resource.Host) error {
	old, err := f.givenUp(h)
	if err != nil {
		return err
	}
	if old.IP != "" {
		if err := f.release(ctx, h, old); err != nil {
			return fmt.Errorf("take %s off %s: %w", old.IP, old.Interface, err)
		}
	}
	return f.file().Apply(ctx, h)
}

// release removes an address that vip-manager, which would put it back, no longer looks after.
// Where another member leads, it is not there.
func (f *VIPFile) release(ctx context.Context, h *resource.Host, old virtualAddress) error {
	state, err := h.Systemd.State(ctx, f.Unit)
	if err != nil {
		return err
	}
	if state.Running() {
		if err := h.Systemd.Stop(ctx, f.Unit); err != nil {
			return err
		}
	}
	argv := []string{"ip", "address", "delete", fmt.Sprintf("%s/%d", old.IP, old.Netmask), "dev", old.Interface}
	_, err = h.Exec.Run(ctx, resource.Command{Argv: argv})
	if err != nil {
		for _, absent := range []string{"Address not found", "Cannot assign requested address", "Cannot find device"} {
			if strings.Contains(err.Error(), absent) {
				return nil
			}
		}
	}
	return err
}

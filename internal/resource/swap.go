package resource

import (
	"context"
	"fmt"
	"os"
	"strings"
)

const (
	fstabFile = "/etc/fstab"
	swapsFile = "/proc/swaps"
)

var (
	_ Resource = (*Swap)(nil)
	_          = Register(func() Resource { return &Swap{} })
)

// Swap is whether memory may be written to disk.
type Swap struct {
	// Disabled turns swap off, now and at boot; otherwise it is left as it is.
	Disabled bool `json:"disabled"`
}

func (s *Swap) Kind() string { return "swap" }
func (s *Swap) Name() string { return "swap" }

// Diff looks for swap in use and swap that the next boot would use.
func (s *Swap) Diff(_ context.Context, h *Host) (*Change, error) {
	if !s.Disabled {
		return nil, nil
	}
	c := &Change{Action: Update}
	used, err := h.swaps()
	if err != nil {
		return nil, err
	}
	for _, device := range used {
		c.Add(device, "in use", "off")
	}
	table, err := readTrimmed(h, fstabFile)
	if err != nil {
		return nil, err
	}
	for line := range strings.SplitSeq(table, "\n") {
		if isSwapLine(line) {
			c.Add(fstabFile, line, "# "+line)
		}
	}
	return c.OrNil(), nil
}

// swaps lists the devices and files in use as swap. Those of a container are its host's.
func (h *Host) swaps() ([]string, error) {
	text, err := readTrimmed(h, swapsFile)
	if err != nil {
		return nil, err
	}
	var used []string
	for i, line := range strings.Split(text, "\n") {
		if fields := strings.Fields(line); i > 0 && len(fields) > 0 {
			used = append(used, fields[0])
		}
	}
	if h.Container && len(used) > 0 {
		h.Note("swap cannot be turned off from inside a container: %s", strings.Join(used, ", "))
		return nil, nil
	}
	return used, nil
}

// isSwapLine tells whether a line of fstab mounts swap.
func isSwapLine(line string) bool {
	fields := strings.Fields(line)
	return len(fields) >= 3 && !strings.HasPrefix(fields[0], "#") && fields[2] == "swap"
}

// Apply comments swap out of fstab, then turns it off.
func (s *Swap) Apply(ctx context.Context, h *Host) error {
	if err := commentSwap(h); err != nil {
		return err
	}
	used, err := h.swaps()
	if err != nil || len(used) == 0 {
		return err
	}
	if err := h.run(ctx, "swapoff", "--all"); err != nil {
		return fmt.Errorf("turn swap off: %w", err)
	}
	return nil
}

func commentSwap(h *Host) error {
	data, err := os.ReadFile(h.Path(fstabFile))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		if isSwapLine(line) {
			lines[i] = "# " + line
		}
	}
	after := strings.Join(lines, "\n")
	if after == string(data) {
		return nil
	}
	return h.WriteFile(fstabFile, []byte(after), 0o644)
}

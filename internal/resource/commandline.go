package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

const (
	grubConfig  = "/boot/grub/grub.cfg"
	commandLine = "/proc/cmdline"
)

var (
	_ Resource = (*CommandLine)(nil)
	_          = Register(func() Resource { return &CommandLine{} })
)

// CommandLine is parameters that the boot loader gives to the kernel, from the next boot on. It
// keeps a file of settings for GRUB, and has GRUB's configuration made anew where that does not
// say the same. A node that GRUB does not boot, such as a container, keeps the file alone, and
// says so.
type CommandLine struct {
	ID         string   `json:"id"`                   // names the file /etc/default/grub.d/<ID>.cfg
	Parameters []string `json:"parameters,omitempty"` // such as "numa=off"
	// Absent takes the parameters back.
	Absent bool `json:"absent,omitempty"`
}

func (l *CommandLine) Kind() string { return "command_line" }
func (l *CommandLine) Name() string { return l.ID }

func (l *CommandLine) file() *File {
	text := "# Managed by pigsty. In force after update-grub and a reboot.\n"
	if !l.Absent {
		text += fmt.Sprintf("GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX %s\"\n", strings.Join(l.Parameters, " "))
	}
	return &File{Path: "/etc/default/grub.d/" + l.ID + ".cfg", Content: text}
}

// Diff compares the file, and what GRUB will boot with. While the running kernel has been
// started without the parameters, a note asks for a reboot.
func (l *CommandLine) Diff(ctx context.Context, h *Host) (*Change, error) {
	f := l.file()
	f.Absent = l.Absent
	c, err := f.Diff(ctx, h)
	if err != nil {
		return nil, err
	}
	if c != nil {
		c.Effect = "in force after a reboot"
	}
	if l.Absent {
		return c, nil
	}
	if c == nil {
		c = &Change{Action: Update, Effect: "in force after a reboot"}
	}
	entries, err := grubEntries(h)
	if err != nil {
		return nil, err
	}
	if entries == nil {
		h.Note("this node is not booted by GRUB, so %s is left to whoever starts its kernel", strings.Join(l.Parameters, " "))
		return c.OrNil(), nil
	}
	for _, p := range l.Parameters {
		if slices.ContainsFunc(entries, func(words []string) bool { return !slices.Contains(words, p) }) {
			c.Add(p, "not in "+grubConfig, "in it")
		}
	}
	if c.OrNil() == nil {
		return nil, l.awaitReboot(h)
	}
	return c, nil
}

// grubEntries are the words of every line by which GRUB starts a kernel of this system; nil when
// GRUB does not boot the node. Entries for other systems on the disk are not ours to change.
func grubEntries(h *Host) ([][]string, error) {
	text, err := os.ReadFile(h.Path(grubConfig))
	if errors.Is(err, fs.ErrNotExist) || h.Container {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, section, _ := strings.Cut(string(text), "### BEGIN /etc/grub.d/10_linux ###")
	section, _, _ = strings.Cut(section, "### END /etc/grub.d/10_linux ###")
	entries := [][]string{}
	for line := range strings.Lines(section) {
		if words := strings.Fields(line); len(words) > 0 && words[0] == "linux" {
			entries = append(entries, words)
		}
	}
	return entries, nil
}

// awaitReboot notes that the running kernel is still without a parameter.
func (l *CommandLine) awaitReboot(h *Host) error {
	text, err := readTrimmed(h, commandLine)
	if err != nil {
		return err
	}
	running := strings.Fields(text)
	if slices.ContainsFunc(l.Parameters, func(p string) bool { return !slices.Contains(running, p) }) {
		h.Note("the kernel runs without %s until the node is rebooted", strings.Join(l.Parameters, " "))
	}
	return nil
}

// Apply writes the file and has GRUB's configuration made anew. A file that is to go is emptied
// first and removed last, so that a run that is cut short is seen by the next.
func (l *CommandLine) Apply(ctx context.Context, h *Host) error {
	f := l.file()
	if err := f.Apply(ctx, h); err != nil {
		return err
	}
	entries, err := grubEntries(h)
	if err != nil {
		return err
	}
	if entries != nil {
		if err := h.run(ctx, "update-grub"); err != nil {
			return fmt.Errorf("make %s anew: %w", grubConfig, err)
		}
	}
	if l.Absent {
		return os.Remove(h.Path(f.Path))
	}
	return nil
}

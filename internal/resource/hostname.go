package resource

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
)

const (
	hostnameFile  = "/etc/hostname"
	hostnameProbe = "/proc/sys/kernel/hostname"
)

var (
	_ Resource = (*Hostname)(nil)
	_          = Register(func() Resource { return &Hostname{} })
)

// Hostname is the node's name, at boot and now.
type Hostname struct {
	Hostname string `json:"hostname"`
}

func (n *Hostname) Kind() string { return "hostname" }
func (n *Hostname) Name() string { return n.Hostname }

// Diff compares the file and the running kernel's name.
func (n *Hostname) Diff(_ context.Context, h *Host) (*Change, error) {
	c := &Change{Action: Update}
	atBoot, err := readTrimmed(h, hostnameFile)
	if err != nil {
		return nil, err
	}
	running, err := readTrimmed(h, hostnameProbe)
	if err != nil {
		return nil, err
	}
	c.Add("at boot", atBoot, n.Hostname)
	c.Add("running", running, n.Hostname)
	return c.OrNil(), nil
}

// Apply writes the file and tells the kernel. The system call is used and not the file under
// /proc/sys, which a container has read-only although its name is its own; nor hostnamed, which
// does the same two things and is not on every node.
func (n *Hostname) Apply(_ context.Context, h *Host) error {
	if err := h.WriteFile(hostnameFile, []byte(n.Hostname+"\n"), 0o644); err != nil {
		return err
	}
	if h.Root != "" {
		return os.WriteFile(h.Path(hostnameProbe), []byte(n.Hostname+"\n"), 0o644)
	}
	if err := syscall.Sethostname([]byte(n.Hostname)); err != nil {
		return fmt.Errorf("set the running host name to %s: %w", n.Hostname, err)
	}
	return nil
}

// readTrimmed is a small file's text without white space around it; empty when it is missing.
func readTrimmed(h *Host, path string) (string, error) {
	data, err := os.ReadFile(h.Path(path))
	if os.IsNotExist(err) {
		return "", nil
	}
	return strings.TrimSpace(string(data)), err
}

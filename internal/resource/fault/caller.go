package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"pigsty/internal/resource"
)

// caller is the address of the machine from which somebody logged in to run this process, as sshd
// tells it; empty when the process was started on the node itself. sudo takes the variable away
// from what it starts, so that those which started this process are asked, too.
func caller(h *resource.Host) (string, error) {
	for pid := os.Getpid(); pid > 1; {
		environ, err := os.ReadFile(h.Path(fmt.Sprintf("/proc/%d/environ", pid)))
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil // who started it has gone
		}
		if err != nil {
			return "", fmt.Errorf("find out from where you come: %w", err)
		}
		for variable := range strings.SplitSeq(string(environ), "\x00") {
			if value, found := strings.CutPrefix(variable, "SSH_CONNECTION="); found {
				address, _, _ := strings.Cut(value, " ")
				return address, nil
			}
		}
		if pid, err = parent(h, pid); err != nil {
			return "", err
		}
	}
	return "", nil
}

// parent is who started the process.
func parent(h *resource.Host, pid int) (int, error) {
	status, err := os.ReadFile(h.Path(fmt.Sprintf("/proc/%d/status", pid)))
	if err != nil {
		return 0, fmt.Errorf("find out from where you come: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "PPid:"); found {
			return strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return 0, fmt.Errorf("process %d has no parent in /proc", pid)
}

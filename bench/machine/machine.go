// Package machine tells what measurements were taken on, and what they used of it.
package machine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Describe is the processor, memory, system and compiler, and the commit of the work tree, in one line.
// What cannot be told is left out.
func Describe(ctx context.Context) string {
	model, memory := "unknown processor", ""
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kb int
		if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kb); err == nil {
			memory = fmt.Sprintf(", %d GiB", kb>>20)
		}
	}
	debian, _ := os.ReadFile("/etc/debian_version")
	commit, _ := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	return fmt.Sprintf("%d × %s%s, Debian %s, %s; pigsty %s", runtime.NumCPU(), model, memory,
		strings.TrimSpace(string(debian)), runtime.Version(), strings.TrimSpace(string(commit)))
}

// Moment is when something was, and how busy the machine was then.
type Moment struct {
	At   time.Time
	Load string // averages of one, five and fifteen minutes
}

// Now is this moment.
func Now() Moment {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return Moment{time.Now(), "unknown"}
	}
	return Moment{time.Now(), strings.Join(strings.Fields(string(text))[:3], " ")}
}

// Minute is the load average of a minute.
func (m Moment) Minute() (load float64, err error) {
	if _, err = fmt.Sscan(m.Load, &load); err != nil {
		err = fmt.Errorf("read the load average: %w", err)
	}
	return load, err
}

// CPU is the processor time that a cgroup of the unified hierarchy, and all below it, have used since it
// was made.
func CPU(cgroup string) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join(cgroup, "cpu.stat"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "usage_usec "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return time.Duration(n) * time.Microsecond, err
		}
	}
	return 0, fmt.Errorf("%s does not count processor time", cgroup)
}

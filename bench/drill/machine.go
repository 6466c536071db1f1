package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// machine describes what everything runs on.
func machine(ctx context.Context) string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	debian, _ := os.ReadFile("/etc/debian_version")
	commit, _ := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output() // without git, none is named
	return fmt.Sprintf("%d × %s, Debian %s, %s; pigsty %s", runtime.NumCPU(), model,
		strings.TrimSpace(string(debian)), runtime.Version(), strings.TrimSpace(string(commit)))
}

// calm waits until the machine's load average of a minute is below the limit, and returns it; a
// limit of 0 is always met.
func calm(ctx context.Context, limit float64, patience time.Duration) (float64, error) {
	for deadline := time.Now().Add(patience); ; {
		var load float64
		text, err := os.ReadFile("/proc/loadavg")
		if err != nil {
			return 0, err
		}
		if _, err := fmt.Sscan(string(text), &load); err != nil {
			return 0, fmt.Errorf("read the load average: %w", err)
		}
		if limit == 0 || load < limit || time.Now().After(deadline) {
			return load, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(5 * time.Second):
		}
	}
}

package resource

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// Unavailable is the error of a resource that a node cannot have, and that the platform does without:
// the step and the rest of its branch are left out, a note says why, and nothing has failed.
type Unavailable struct {
	Why string // in a few words, with what to do about it
}

func (u *Unavailable) Error() string { return u.Why }

// unavailable tells which of the packages no repository of the node has. Lists that were fetched before
// the repositories changed say nothing about that.
func unavailable(ctx context.Context, h *Host, packages []string) ([]string, error) {
	if lists, err := filepath.Glob(h.Path(filepath.Join(aptListsDir, "*_Packages*"))); err != nil || len(lists) == 0 {
		return nil, err
	}
	if newest(h, aptSources(h)...).After(newest(h, aptListsDir, aptStamp, "/var/lib/apt/periodic/update-success-stamp")) {
		return nil, nil
	}
	output, err := h.Exec.Run(ctx, Command{Argv: append([]string{"apt-cache", "policy"}, packages...), Env: aptEnv})
	if err != nil {
		return nil, fmt.Errorf("ask apt what it can install: %w", err)
	}
	known := candidates(string(output))
	var missing []string
	for _, p := range packages {
		if !known[p] {
			missing = append(missing, p)
		}
	}
	return missing, nil
}

// candidates are the packages that have a version to install, of what apt-cache policy writes.
func candidates(policy string) map[string]bool {
	known := map[string]bool{}
	name := ""
	for line := range strings.SplitSeq(policy, "\n") {
		switch {
		case line != "" && line[0] != ' ':
			name = strings.TrimSuffix(line, ":")
		case strings.HasPrefix(line, "  Candidate: "):
			known[name] = !strings.HasSuffix(line, "(none)")
		}
	}
	return known
}

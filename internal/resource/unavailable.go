package resource

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Unavailable is the error of a resource that a node cannot have, and that the platform does without:
// the step and the rest of its branch are left out, a note says why, and nothing has failed.
type Unavailable struct {
	Why string // in a few words, with what to do about it
}

func (u *Unavailable) Error() string { return u.Why }

// unavailable tells which of the packages no repository of the node has. Lists that were fetched before
// the repositories changed, or one whose index is given, say nothing about that.
func unavailable(ctx context.Context, h *Host, packages []string, index string) ([]string, error) {
	if index != "" && outdated(ctx, h, index) {
		return nil, nil
	}
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

// indexWait is how long a repository may take to give its index. What is not there by then is taken
// for what it was.
const indexWait = 2 * time.Second

// outdated tells whether apt's lists are of another state of the repository than the one that its
// index is of.
func outdated(ctx context.Context, h *Host, index string) bool {
	_, path, _ := strings.Cut(index, ":")
	fetched, err := os.ReadFile(h.Path(filepath.Join(aptListsDir, aptListName(strings.TrimPrefix(path, "//")))))
	if err != nil {
		return true
	}
	var offered []byte
	if strings.HasPrefix(index, "file:") {
		offered, err = os.ReadFile(h.Path(path))
	} else {
		offered, err = getIndex(ctx, h, index)
	}
	return err == nil && !bytes.Equal(fetched, offered)
}

// aptListName is what apt calls its copy of an index: its address without the scheme, as in
// URItoFileName of apt's strutl.cc.
func aptListName(address string) string {
	return strings.ReplaceAll(strings.ReplaceAll(address, "_", "%5f"), "/", "_")
}

func getIndex(ctx context.Context, h *Host, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, indexWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DialContext: h.Dial, DisableKeepAlives: true} // and no proxy: apt uses none to it
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", address, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, 1<<20))
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

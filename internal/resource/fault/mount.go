package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pigsty/internal/resource"
)

// mount is a file system at its place in the tree.
type mount struct {
	device string // major:minor
	root   string // folder of the file system that is shown
	at     string
	source string
}

type mounts []mount

// readMounts reads the node's mounts, those made later after the ones that they hide.
func readMounts(h *resource.Host) (mounts, error) {
	text, err := os.ReadFile(h.Path("/proc/self/mountinfo"))
	if err != nil {
		return nil, fmt.Errorf("list file systems: %w", err)
	}
	var all mounts
	for line := range strings.Lines(string(text)) {
		left, right, found := strings.Cut(line, " - ")
		place, device := strings.Fields(left), strings.Fields(right)
		if found && len(place) > 4 && len(device) > 1 {
			all = append(all, mount{device: place[2], root: unescape(place[3]), at: unescape(place[4]), source: device[1]})
		}
	}
	return all, nil
}

// unescape undoes what the kernel does to characters that separate fields.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace

// of is the mount that holds the path, or will once the path is made.
func (all mounts) of(h *resource.Host, path string) (mount, error) {
	real, err := filepath.EvalSymlinks(h.Path(path))
	for errors.Is(err, fs.ErrNotExist) && path != "/" {
		path = filepath.Dir(path)
		real, err = filepath.EvalSymlinks(h.Path(path))
	}
	if err != nil {
		return mount{}, err
	}
	real = "/" + strings.TrimPrefix(strings.TrimPrefix(real, h.Root), "/")
	best := mount{}
	for _, m := range all {
		within := m.at == "/" || real == m.at || strings.HasPrefix(real, m.at+"/")
		if within && len(m.at) >= len(best.at) {
			best = m
		}
	}
	if best.at == "" {
		return mount{}, fmt.Errorf("no file system is known to hold %s", path)
	}
	return best, nil
}

// sharing is another place in the tree that shows the same file system.
func (all mounts) sharing(m mount) (mount, bool) {
	n := slices.IndexFunc(all, func(o mount) bool { return o.device == m.device && o.at != m.at })
	if n < 0 {
		return mount{}, false
	}
	return all[n], true
}

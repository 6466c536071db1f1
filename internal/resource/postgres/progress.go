package postgres

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"pigsty/internal/resource"
)

// progress is how far a server that is being built or started has come. Only a value that is
// higher than ever counts as progress: a copy that fails and starts over again and again has
// none.
type progress struct {
	copied   int64  // bytes in the data directory, while it is being copied
	segment  string // WAL file that the startup process replays, before it takes connections
	replayed int64  // WAL position replayed, once it takes connections
}

// advance takes over what got further, and tells whether anything did.
func (p *progress) advance(now progress) bool {
	further := now.copied > p.copied || now.segment > p.segment || now.replayed > p.replayed
	p.copied, p.segment, p.replayed = max(p.copied, now.copied), max(p.segment, now.segment), max(p.replayed, now.replayed)
	return further
}

func (r *Ready) progress(h *resource.Host, state serverState) progress {
	dir := r.DataDir
	if dir == "" {
		dir = "/pg/data"
	}
	dir = h.Path(dir)
	return progress{copied: treeSize(dir), segment: startupSegment(dir, h.Path("/proc")), replayed: state.replayed}
}

// treeSize adds up the files below a folder, following the links to tablespaces and WAL. Files
// come and go meanwhile, so what cannot be read counts as nothing. The server's own log is left
// out: a server that fails to start writes one all the same.
func treeSize(dir string) int64 {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	var size int64
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		switch {
		case err != nil:
		case info.Mode().IsRegular():
			size += info.Size()
		case info.IsDir() && e.Name() != "log":
			size += treeSize(path)
		}
	}
	return size
}

// startupSegment is the WAL file that the startup process of the server in a data directory is
// at, which stands in its title ("postgres: startup recovering 000000010000000000000007"): the
// only thing to be seen of crash recovery, when nobody can connect. Empty when there is none.
func startupSegment(dataDir, proc string) string {
	lock, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(lock), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return ""
	}
	name := strconv.Itoa(pid)
	children, err := os.ReadFile(filepath.Join(proc, name, "task", name, "children"))
	if err != nil {
		return ""
	}
	for _, child := range strings.Fields(string(children)) {
		title, err := os.ReadFile(filepath.Join(proc, child, "cmdline"))
		if err != nil {
			continue
		}
		if _, after, ok := strings.Cut(string(bytes.TrimRight(title, "\x00 ")), "startup recovering "); ok {
			return after
		}
	}
	return ""
}

package fact

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
)

// Gather asks the node what it is. It reads files, asks the kernel and, where PostgreSQL's data
// is, Patroni on the loopback address; it starts no process. What cannot be found out is left
// at its zero value, as every fact has a reader who knows what to do without it; an error means
// that this is no Linux system that could be managed at all.
//
// A root other than "" stands for the node's file tree: its interfaces are then those listed in
// its run/addresses, a line each, such as "eth0 10.10.10.11/24".
func Gather(ctx context.Context, q Query, root string) (Node, error) {
	t := tree(root)
	n := Node{
		Arch:      runtime.GOARCH,
		Container: InContainer(root),
		Timezone:  t.timezone(),
		CPUs:      t.cpus(),
		Memory:    t.memory(),
		Disk:      t.disk(q.DataDir),
	}
	release, err := t.release()
	if err != nil {
		return Node{}, err
	}
	n.OS, n.Release, n.Codename = release.id, release.major, release.codename
	if n.Hostname, err = t.hostname(); err != nil {
		return Node{}, err
	}
	if n.Addresses, err = t.addresses(); err != nil {
		return Node{}, err
	}
	// The package's own empty folder does not count: etcd makes "member" when it first starts.
	n.EtcdData = q.EtcdDataDir != "" && t.filled(filepath.Join(q.EtcdDataDir, "member"))
	n.PgData = t.filled(q.PgData)
	if n.PgData && q.PatroniPort != 0 {
		n.Patroni = askPatroni(ctx, q.PatroniPort)
	}
	return n, nil
}

// tree is a node's file tree: "" on the node itself, a folder elsewhere.
type tree string

func (t tree) path(path string) string { return filepath.Join(string(t)+"/", path) }

func (t tree) read(path string) string {
	data, err := os.ReadFile(t.path(path))
	if err != nil {
		return ""
	}
	return string(data)
}

// filled tells whether the path is a folder with something in it.
func (t tree) filled(path string) bool {
	if path == "" {
		return false
	}
	entries, err := os.ReadDir(t.path(path))
	return err == nil && len(entries) > 0
}

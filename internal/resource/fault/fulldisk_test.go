package fault

import (
	"os"
	"testing"
	"time"

	"pigsty/internal/resource"
)

const (
	rootDisk = "22 1 0:50 / / rw - overlay overlay rw\n"
	ownDisk  = "30 22 7:3 / /data rw - ext4 /dev/loop3 rw\n"
)

// The node's tree: /pg/data leads to the disk at /data.
func diskHost(t *testing.T, mountinfo string) *resource.Host {
	h, _, _ := newHost(t)
	for _, dir := range []string{"/data/postgres", "/pg", "/tmp", "/var/lib/etcd"} {
		if err := os.MkdirAll(h.Path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(h.Path("/data/postgres"), h.Path("/pg/data")); err != nil {
		t.Fatal(err)
	}
	write(t, h, "/proc/self/mountinfo", mountinfo)
	return h
}

func TestFullDisk(t *testing.T) {
	c := newCluster(t)
	f := &FillDisk{Leader: c.leader(), Data: "/pg/data", Spared: map[string]string{"/tmp": "the folder of temporary files"}, Lasts: time.Minute}
	h := diskHost(t, rootDisk+ownDisk)
	h.Container = true
	change, err := f.Diff(t.Context(), h)
	if err != nil || change.Impact != resource.DataLoss || change.Fields[0].Name != "space on /data of a" {
		t.Errorf("%+v, %v", change, err)
	}
}

// A disk that anything else needs is not filled.
func TestFullDiskSparesOthers(t *testing.T) {
	spared := map[string]string{"/data/etcd": "etcd's data (/data/etcd)"}
	for want, c := range map[string]struct {
		mountinfo string
		spared    map[string]string
		container bool
	}{
		"lies on the machine's root file system":                               {mountinfo: rootDisk},
		"etcd's data (/data/etcd) lies on the same file system":                {mountinfo: rootDisk + ownDisk, spared: spared},
		"is in use at /srv, too":                                               {mountinfo: rootDisk + ownDisk + "31 22 7:3 / /srv rw - ext4 /dev/loop3 rw\n"},
		"this node is a container, and the disk of /pg/data may be its host's": {mountinfo: rootDisk + "30 22 8:1 /var/lib/x /data rw - ext4 /dev/sda1 rw\n", container: true},
	} {
		cluster := newCluster(t)
		h := diskHost(t, c.mountinfo)
		h.Container = c.container
		f := &FillDisk{Leader: cluster.leader(), Data: "/pg/data", Spared: c.spared, Lasts: time.Minute}
		_, err := f.Diff(t.Context(), h)
		says(t, err, want)
		says(t, f.Apply(t.Context(), h), want)
	}
}

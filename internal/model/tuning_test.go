package model_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pigsty/internal/fact"
	"pigsty/internal/golden"
	"pigsty/internal/inventory"
	"pigsty/internal/model"
)

// machines are sizes from a small container to v1.5's large server.
var machines = []fact.Node{
	{CPUs: 1, Memory: 1 << 30, Disk: 10 << 30},
	{CPUs: 2, Memory: 4 << 30, Disk: 40 << 30},
	{CPUs: 4, Memory: 16 << 30, Disk: 200 << 30},
	{CPUs: 16, Memory: 64 << 30, Disk: 1 << 40},
	{CPUs: 64, Memory: 400 << 30, Disk: 8 << 40},
}

var templates = []string{"oltp", "olap", "crit", "tiny", "large", "medium", "small", "mini"}

// cluster is one of two members with the given settings; own are those of the second alone.
func cluster(t *testing.T, settings, own string, f fact.Node) *model.PgCluster {
	t.Helper()
	text := `all:
  children:
    pg-test:
      hosts:
        10.10.10.11: { pg_seq: 1, pg_role: primary }
        10.10.10.12: { pg_seq: 2, pg_role: replica` + own + ` }
      vars: { pg_cluster: pg-test, dcs_servers: { etcd-1: 10.10.10.11 }` + settings + ` }
`
	inv, problems := inventory.Parse("pigsty.yml", []byte(text), inventory.Options{})
	d, more := model.Build(inv)
	problems.Add(more...)
	if problems.HasErrors() {
		t.Fatal(problems.Err())
	}
	f.Release = 13
	d.Observe(map[string]fact.Node{"10.10.10.11": f, "10.10.10.12": f})
	return d.Pg[0]
}

func TestTuning(t *testing.T) {
	var b strings.Builder
	for _, name := range templates {
		for n, f := range machines {
			c := cluster(t, ", pg_conf: "+name+".yml", "", f)
			if n == 0 {
				fmt.Fprintf(&b, "== %s  %+v checksums=%v\n", name, c.Failover(), c.Checksums())
				write(&b, c.ClusterSettings())
			}
			fmt.Fprintf(&b, "-- %s on %d processors, %d GB, %d GB of disk\n", name, f.CPUs, f.Memory>>30, f.Disk>>30)
			write(&b, c.Instances[0].NodeSettings())
			fmt.Fprintf(&b, "wal_keep_size (shared) = %dMB\n", c.WalKeep(c.Instances...))
		}
	}
	golden.Compare(t, "testdata/tuning.txt", b.String())
}

func write(b *strings.Builder, settings map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(b, "%s = %s\n", name, settings[name])
	}
}

// number reads a setting such as 512MB, in megabytes, or a plain number.
func number(t *testing.T, settings map[string]string, name string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(strings.TrimSuffix(settings[name], "MB"), 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// Whatever the machine, the server starts and leaves room.
func TestTuningFits(t *testing.T) {
	for _, name := range templates {
		for _, f := range machines {
			c := cluster(t, ", pg_conf: "+name+".yml, pg_shared_buffer_ratio: 0.4", "", f)
			own, shared := c.Instances[0].NodeSettings(), c.ClusterSettings()
			memory, disk := f.Memory>>20, f.Disk>>20
			sorts := number(t, own, "work_mem") * number(t, shared, "max_connections")
			for what, ok := range map[string]bool{
				"shared_buffers above 40 %":           number(t, own, "shared_buffers") <= memory*4/10,
				"sorts of all connections don't fit":  sorts <= memory || own["work_mem"] == "4MB",
				"maintenance above shared_buffers":    number(t, own, "maintenance_work_mem") <= number(t, own, "shared_buffers"),
				"WAL above a quarter of the disk":     number(t, own, "max_wal_size") <= disk/4,
				"slots above a third of the disk":     number(t, own, "max_slot_wal_keep_size") <= disk/3,
				"min_wal_size below two segments":     number(t, own, "min_wal_size") >= 32,
				"temporary files above a quarter":     number(t, own, "temp_file_limit") <= disk/4,
				"more parallel workers than workers":  number(t, own, "max_parallel_workers") <= number(t, shared, "max_worker_processes"),
				"more than PostgreSQL keeps reserved": number(t, shared, "max_connections") > number(t, shared, "superuser_reserved_connections"),
			} {
				if !ok {
					t.Errorf("%s on %+v: %s", name, f, what)
				}
			}
		}
	}
}

func TestParametersBelongToClusterOrInstance(t *testing.T) {
	c := cluster(t, ", pg_parameters: { work_mem: 9MB, max_wal_senders: 40 }, pg_max_conn: 250", ", pg_parameters: { work_mem: 7MB, jit: 'off' }", machines[2])
	shared, first, second := c.ClusterSettings(), c.Instances[0].NodeSettings(), c.Instances[1].NodeSettings()
	if shared["work_mem"] != "9MB" || shared["max_wal_senders"] != "40" || shared["max_connections"] != "250" {
		t.Errorf("shared settings are %v", shared)
	}
	if _, set := first["work_mem"]; set {
		t.Error("the computed work_mem hides the cluster's")
	}
	if second["work_mem"] != "7MB" || second["jit"] != "off" {
		t.Errorf("the instance's own settings are %v", second)
	}
}

// What the node has not told is not invented.
func TestTuningOfUnknownMachine(t *testing.T) {
	c := cluster(t, "", "", fact.Node{})
	c.Instances[0].Node.Known = false
	if own := c.Instances[0].NodeSettings(); len(own) > 0 {
		t.Errorf("settings are %v", own)
	}
	if keep := c.WalKeep(c.Instances...); keep != 0 {
		t.Errorf("wal_keep_size is %d", keep)
	}
}

func TestParametersByVersion(t *testing.T) {
	for version, want := range map[int]bool{13: false, 14: true, 18: true} {
		c := cluster(t, fmt.Sprintf(", pg_version: %d", version), "", machines[1])
		if _, got := c.ClusterSettings()["log_recovery_conflict_waits"]; got != want {
			t.Errorf("log_recovery_conflict_waits in %d: %v", version, got)
		}
	}
}

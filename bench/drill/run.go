package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"pigsty/bench/machine"
	"pigsty/internal/controller"
	"pigsty/internal/drill"
	"pigsty/internal/module"
	"pigsty/internal/resource/fault"
	"pigsty/internal/sandbox"
)

// lasting is how long a fault lasts: longer than the leader's key where the point is what becomes
// of a leader that loses it.
var lasting = map[string]string{
	fault.PowerCut: "25s", fault.Freeze: "30s", fault.CutPeers: "30s", fault.CutDCS: "25s",
	fault.EtcdLeader: "10s", fault.EtcdQuorum: "25s", fault.FullDisk: "20s",
}

// templates are the tuning templates that replicate in each way.
var templates = map[string]string{"synchronous": "crit.yml", "asynchronous": "oltp.yml"}

const inventory = `all:
  children:
    meta:
      vars: { meta_node: true, ansible_group_priority: 99 }
      hosts: { NET.10: {} }
    pg-test:
      hosts:
        NET.10: { pg_seq: 1, pg_role: primary }
        NET.11: { pg_seq: 2, pg_role: replica }
        NET.12: { pg_seq: 3, pg_role: replica }
      vars:
        pg_cluster: pg-test
        pg_conf: TEMPLATE
        pg_rto: RTO
        patroni_watchdog_mode: "off"
        pg_shared_buffer_ratio: 0.1
        pg_databases: [{ name: test }]
        pg_users:
          - { name: test, password: test, pgbouncer: true, roles: [dbrole_admin] }
        vip_mode: l2
        vip_address: NET.3
        vip_cidrmask: 24
  vars:
    # What is measured is the cluster, and not what watches it.
    prometheus_enabled: false
    nginx_enabled: false
    loki_enabled: false
    grafana_enabled: false
    node_exporter_enabled: false
    promtail_enabled: false
    pg_exporter_enabled: false
    pgbouncer_exporter_enabled: false
    ansible_user: debian
    ansible_ssh_private_key_file: KEY
    ansible_ssh_common_args: -o UserKnownHostsFile=HOSTS
    dcs_servers: { etcd-1: NET.10, etcd-2: NET.11, etcd-3: NET.12 }
    pg_dcs_type: etcd
    etcd_data_dir: /var/lib/etcd
    node_tune: tiny
`

// lab is a sandbox with a cluster on it.
type lab struct {
	o         options
	box       *sandbox.Sandbox
	binary    string
	dir       string
	inventory string
}

func run(ctx context.Context, o options) (err error) {
	binary, err := filepath.Abs("bin/pigsty")
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "make", "build").CombinedOutput(); err != nil {
		return fmt.Errorf("build pigsty: %w\n%s", err, out)
	}
	faults, err := wanted(o.faults)
	if err != nil {
		return err
	}
	r := &results{Command: command(), Machine: machine.Describe(ctx), Began: time.Now().UTC(), RTO: o.rto}
	for mode := range strings.SplitSeq(o.modes, ",") {
		if templates[mode] == "" {
			return fmt.Errorf("mode %q is not known: choose synchronous or asynchronous", mode)
		}
		if err := drillMode(ctx, o, binary, mode, faults, r); err != nil {
			return err
		}
	}
	return nil
}

// wanted are the faults of a list, all when it is empty.
func wanted(list string) ([]fault.Fault, error) {
	all := module.Faults()
	if list == "" {
		return all, nil
	}
	var some []fault.Fault
	for name := range strings.SplitSeq(list, ",") {
		f, err := fault.Find(name)
		if err != nil {
			return nil, err
		}
		some = append(some, f)
	}
	return some, nil
}

// drillMode makes nodes, deploys a cluster and drills it. Round after round, so that what changes
// with time on the machine touches all faults alike.
func drillMode(ctx context.Context, o options, binary, mode string, faults []fault.Fault, r *results) (err error) {
	l, err := openLab(ctx, o, binary, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	for round := range o.rounds {
		for _, f := range faults {
			report, load, err := l.drill(ctx, f.Name)
			if err != nil {
				return err
			}
			r.Runs = append(r.Runs, summary(mode, load, report))
			say("%s, round %d, %s: writes stopped for %.1f s; passed %v", mode, round+1, f.Name, report.Unavailable, report.Verdict.Passed)
			if err := r.write(o.out); err != nil {
				return err
			}
			if !report.Healthy {
				return fmt.Errorf("%s: %s did not come back: %s", mode, f.Name, report.Complaint)
			}
		}
	}
	return nil
}

func openLab(ctx context.Context, o options, binary, mode string) (l *lab, err error) {
	subnet, err := netip.ParsePrefix(o.subnet)
	if err != nil {
		return nil, err
	}
	if err := sandbox.Down(ctx, o.name); err != nil {
		return nil, err
	}
	l = &lab{o: o, binary: binary}
	if l.dir, err = os.MkdirTemp("", "pigsty-drill-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	say("%s: making nodes", mode)
	l.inventory = filepath.Join(l.dir, "pigsty.yml")
	write := func(key, hosts string) error {
		network := subnet.Addr().String()
		return os.WriteFile(l.inventory, []byte(strings.NewReplacer(
			"NET.", network[:strings.LastIndex(network, ".")+1], "TEMPLATE", templates[mode], "RTO", o.rto, "KEY", key, "HOSTS", hosts,
		).Replace(inventory)), 0o600)
	}
	if err := write("", ""); err != nil {
		return l, err
	}
	// They are on the nodes' disks already: what is measured is not their installation.
	packages, err := controller.WantedPackages(l.inventory, sandbox.DefaultRelease, nil)
	if err != nil {
		return l, err
	}
	l.box, err = sandbox.Up(ctx, sandbox.Config{Name: o.name, Subnet: subnet, Count: 3, Layer: packages, Disk: 2 << 30, Binary: binary})
	if err != nil {
		return l, err
	}
	if err := write(l.box.KeyPath(), l.box.KnownHostsPath()); err != nil {
		return l, err
	}
	say("%s: deploying", mode)
	_, err = l.pigsty(ctx, []int{0}, "apply", "--yes")
	return l, err
}

// close removes what was made, however the run ended.
func (l *lab) close() error {
	return errors.Join(sandbox.Down(context.Background(), l.o.name), os.RemoveAll(l.dir))
}

// pigsty runs a command of the product; an exit code that is not among the given is an error.
func (l *lab) pigsty(ctx context.Context, codes []int, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, l.binary, append(args, "-i", l.inventory)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it cleans up
	cmd.WaitDelay = 2 * time.Minute
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	for _, code := range codes {
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == code {
			return out.String(), nil
		}
	}
	return "", fmt.Errorf("pigsty %s: %w\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
}

// drill runs one drill of a cluster that is well, and returns its report and how busy the machine
// was as it began.
func (l *lab) drill(ctx context.Context, name string) (report drill.Report, load float64, err error) {
	if err := l.well(ctx); err != nil {
		return report, 0, err
	}
	load, err = calm(ctx, l.o.calm, l.o.patience)
	if err != nil {
		return report, load, err
	}
	args := []string{"drill", name, "pg-test", "--yes-destroy", "pg-test", "-o", "json"}
	if lasts := lasting[name]; lasts != "" {
		args = append(args, "--for", lasts)
	}
	out, err := l.pigsty(ctx, []int{0, 1, 2}, args...)
	if err != nil {
		return report, load, err
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		return report, load, fmt.Errorf("drill %s tells no report: %w\n%s", name, err, out)
	}
	return report, load, nil
}

// well waits until nothing is left of the drill before.
func (l *lab) well(ctx context.Context) error {
	var err error
	for range 60 {
		if _, err = l.pigsty(ctx, []int{0}, "status"); err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(time.Second)
	}
	return err
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"pigsty/bench/machine"
	"pigsty/internal/controller"
	"pigsty/internal/sandbox"
)

// ansibleNeeds is what Ansible needs on a node.
var ansibleNeeds = []string{"python3", "python3-apt"}

// siteFile is what is deployed.
const siteFile = "conf/sandbox.yml"

// lab is a sandbox, a pigsty built from this tree, and an inventory for them.
type lab struct {
	box       *sandbox.Sandbox
	dir       string
	binary    string
	inventory string
	net       string // the first three numbers of the nodes' addresses, with the dot
	group     string // cgroup of everything that is run on the controller's side
}

// openLab makes the sandbox. Most is measured with the packages installed beforehand, as unpacking
// them is the same work for everybody.
func openLab(ctx context.Context, name string, subnet netip.Prefix, packages sandbox.LayerMode) (l *lab, err error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("the nodes are real, and making them needs root")
	}
	l = &lab{}
	if l.dir, err = os.MkdirTemp("", "pigsty-converge-"); err != nil {
		return nil, err
	}
	l.binary = filepath.Join(l.dir, "pigsty")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", l.binary, "./cmd/pigsty")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build pigsty, from the top of the repository: %w\n%s", err, out)
	}
	if err := sandbox.Down(ctx, name); err != nil {
		return nil, err
	}
	wanted, err := controller.WantedPackages(siteFile, sandbox.DefaultRelease, nil)
	if err != nil {
		return nil, err
	}
	l.box, err = sandbox.Up(ctx, sandbox.Config{
		Name: name, Subnet: subnet, Binary: l.binary, Layer: append(wanted, ansibleNeeds...), Mode: packages,
		Progress: func(msg string) { say("%s", msg) },
	})
	if err != nil {
		return nil, err
	}
	root, err := cgroupRoot()
	if err != nil {
		return nil, err
	}
	l.group = filepath.Join(root, "pigsty-converge-"+name)
	if err := os.MkdirAll(l.group, 0o755); err != nil {
		return nil, err
	}
	return l, l.writeInventory()
}

// writeInventory is conf/sandbox.yml for the sandbox's addresses and keys.
func (l *lab) writeInventory() error {
	text, err := os.ReadFile(siteFile)
	if err != nil {
		return err
	}
	first := l.box.Nodes()[0].Addr.String()
	l.net = first[:strings.LastIndex(first, ".")+1]
	l.inventory = filepath.Join(l.dir, "sandbox.yml")
	return os.WriteFile(l.inventory, []byte(strings.NewReplacer(
		"10.10.10.", l.net,
		"/var/lib/pigsty/sandbox/main/id_ed25519", l.box.KeyPath(),
		"/var/lib/pigsty/sandbox/main/known_hosts", l.box.KnownHostsPath(),
	).Replace(string(text))), 0o600)
}

// close removes the nodes and all else that was made.
func (l *lab) close() error {
	ctx := context.Background() // what was made has to go, however the run ended
	errs := []error{l.box.Down(ctx)}
	// Shared connections of ssh outlive the command that made them.
	errs = append(errs, os.WriteFile(filepath.Join(l.group, "cgroup.kill"), []byte("1"), 0))
	for range 100 {
		if os.Remove(l.group) == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.Join(append(errs, os.RemoveAll(l.dir))...)
}

// cgroupRoot is where the unified hierarchy is mounted. It counts processor time without any
// controller being enabled.
func cgroupRoot() (string, error) {
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1], nil
		}
	}
	return "", errors.New("the unified cgroup hierarchy is not mounted")
}

// cost is what one command took.
type cost struct {
	wall       time.Duration
	controller time.Duration // processor time of the command and all it started here
	nodes      time.Duration // processor time of all nodes, what they use when idle included
}

func (l *lab) used() (c cost, err error) {
	if c.controller, err = machine.CPU(l.group); err != nil {
		return c, err
	}
	for _, n := range l.box.Nodes() {
		used, err := machine.CPU(filepath.Join(filepath.Dir(l.group), "pigsty-sandbox", l.box.Name(), n.Name))
		if err != nil {
			return c, err
		}
		c.nodes += used
	}
	return c, nil
}

// answer is what a command said, and how it ended.
type answer struct {
	out, err string
	code     int
}

// measure runs a command in the controller's cgroup. Its exit code is the caller's to judge.
func (l *lab) measure(ctx context.Context, env []string, argv ...string) (cost, answer, error) {
	group, err := os.Open(l.group)
	if err != nil {
		return cost{}, answer{}, err
	}
	defer group.Close()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())}
	cmd.WaitDelay = time.Second
	before, err := l.used()
	if err != nil {
		return cost{}, answer{}, err
	}
	start := time.Now()
	runErr := cmd.Run()
	c := cost{wall: time.Since(start)}
	after, err := l.used()
	if err != nil {
		return cost{}, answer{}, err
	}
	c.controller, c.nodes = after.controller-before.controller, after.nodes-before.nodes
	var exit *exec.ExitError
	if runErr != nil && !errors.As(runErr, &exit) && !errors.Is(runErr, exec.ErrWaitDelay) {
		return c, answer{}, fmt.Errorf("%s: %w", strings.Join(argv, " "), runErr)
	}
	return c, answer{out.String(), errs.String(), cmd.ProcessState.ExitCode()}, nil
}

// pigsty runs one of its commands on the inventory and refuses any exit code but the given.
func (l *lab) pigsty(ctx context.Context, code int, args ...string) (cost, answer, error) {
	c, a, err := l.measure(ctx, nil, append(append([]string{l.binary}, args...), "-i", l.inventory)...)
	if err == nil && a.code != code {
		err = fmt.Errorf("pigsty %s: exit code %d instead of %d\n%s%s", strings.Join(args, " "), a.code, code, a.out, a.err)
	}
	return c, a, err
}

// hangUp closes the shared connections that pigsty keeps for its next run.
func (l *lab) hangUp(ctx context.Context) error {
	sockets := filepath.Join(os.TempDir(), fmt.Sprintf("pigsty-ssh-%d", os.Getuid()), "%C")
	for _, n := range l.box.Nodes() {
		cmd := exec.CommandContext(ctx, "ssh", "-o", "ControlPath="+sockets, "-O", "exit", "-l", "debian", n.Addr.String())
		if out, err := cmd.CombinedOutput(); err != nil && !strings.Contains(string(out), "No such file") {
			return fmt.Errorf("close the connection to %s: %w\n%s", n.Name, err, out)
		}
	}
	return nil
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

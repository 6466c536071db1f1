package fault

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"pigsty/internal/resource"
)

// unitPrefix begins the names of the units that end faults: pigsty-drill-freeze.timer starts
// pigsty-drill-freeze.service.
const unitPrefix = "pigsty-drill-"

func timerOf(name string) string   { return unitPrefix + name + ".timer" }
func serviceOf(name string) string { return unitPrefix + name + ".service" }

// ending is a command that ends a fault, also when the fault never began or has ended already.
type ending struct {
	argv   []string
	stdin  string
	stdout string // a file; empty = the journal
}

// arm has systemd run the ending after some time, again and again until it succeeds.
func arm(ctx context.Context, h *resource.Host, name string, after time.Duration, e ending) error {
	argv := []string{
		"systemd-run", "--quiet", "--unit=" + unitPrefix + name, "--description=End of the fault " + name + " of pigsty drill",
		fmt.Sprintf("--on-active=%dms", after.Milliseconds()), "--timer-property=AccuracySec=50ms",
		"--property=Type=oneshot", "--property=Restart=on-failure", "--property=RestartSec=1", "--property=StartLimitIntervalSec=0",
	}
	if e.stdin != "" {
		data := base64.StdEncoding.EncodeToString([]byte(e.stdin))
		argv = append(argv, "--property=StandardInput=data", "--property=StandardInputData="+data)
	}
	if e.stdout != "" {
		argv = append(argv, "--property=StandardOutput=file:"+e.stdout)
	}
	if _, err := h.Exec.Run(ctx, resource.Command{Argv: slices.Concat(argv, []string{"--"}, e.argv)}); err != nil {
		return fmt.Errorf("arm the end of %s: %w", name, err)
	}
	return nil
}

// hold keeps a file open for some time, and makes it where it is missing: it goes with the process
// that has it once it has no name. The process has the file when this returns.
func hold(ctx context.Context, h *resource.Host, name string, lasts time.Duration, path string) error {
	_, err := h.Exec.Run(ctx, resource.Command{Argv: []string{
		"systemd-run", "--quiet", "--unit=" + unitPrefix + name, "--description=The fault " + name + " of pigsty drill", "--service-type=exec",
		"--property=StandardOutput=file:" + path, "--", "sleep", fmt.Sprintf("%.3f", lasts.Seconds()),
	}})
	if err != nil {
		return fmt.Errorf("begin %s: %w", name, err)
	}
	return nil
}

// inject arms the ending and then breaks what is to be broken; when that fails, it is undone at
// once.
func inject(ctx context.Context, h *resource.Host, name string, lasts time.Duration, e ending, breaks func() error) error {
	if err := arm(ctx, h, name, lasts, e); err != nil {
		return err
	}
	err := breaks()
	if err == nil {
		return nil
	}
	if undo := end(ctx, h, name); undo != nil {
		return fmt.Errorf("%w; what was begun ends in %s, as it could not be undone at once: %w", err, lasts, undo)
	}
	return err
}

// end ends a fault now. Its timer goes last: it is what ends the fault when this fails.
func end(ctx context.Context, h *resource.Host, name string) error {
	if name == FullDisk { // ends with the process that holds the space
		return h.Systemd.Stop(ctx, serviceOf(name))
	}
	if err := h.Systemd.Start(ctx, serviceOf(name)); err != nil {
		return err
	}
	return h.Systemd.Stop(ctx, timerOf(name))
}

// armed are the faults that go on on the node.
func armed(ctx context.Context, h *resource.Host) ([]string, error) {
	var names []string
	for _, f := range All() {
		if f.Lasts == 0 {
			continue
		}
		timer, err := h.Systemd.State(ctx, timerOf(f.Name))
		if err != nil {
			return nil, err
		}
		service, err := h.Systemd.State(ctx, serviceOf(f.Name))
		if err != nil {
			return nil, err
		}
		if timer.Running() || service.Running() || service.Active == "activating" {
			names = append(names, f.Name)
		}
	}
	return names, nil
}

// refuseArmed is an error while a fault goes on on the node.
func refuseArmed(ctx context.Context, h *resource.Host) error {
	names, err := armed(ctx, h)
	if err != nil || len(names) == 0 {
		return err
	}
	return fmt.Errorf("a fault of an earlier drill goes on on this node: %s; it ends by itself, or with pigsty drill end", strings.Join(names, ", "))
}

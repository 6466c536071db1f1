// Command watch measures what monitoring costs the platform when nothing happens: processor time
// and memory of every service that watches, on the infrastructure node of a sandbox, and what it
// costs the services that are watched. See bench/README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"pigsty/bench/machine"
	"pigsty/internal/sandbox"
)

// options say what to measure, how long, and on what.
type options struct {
	name, subnet, use string
	windows           int
	window, settle    time.Duration
	out               string
	keep              bool
}

func main() {
	var o options
	flag.StringVar(&o.name, "name", "t-bench-watch", "name of the sandbox to make; one of that name is removed first")
	flag.StringVar(&o.subnet, "subnet", "10.10.92.0/24", "its network")
	flag.StringVar(&o.use, "use", "", "measure this sandbox, which is up and has the platform with logs on it, and leave it")
	flag.IntVar(&o.windows, "windows", 7, "how many windows to measure, of each kind")
	flag.DurationVar(&o.window, "window", 2*time.Minute, "how long one is")
	flag.DurationVar(&o.settle, "settle", 10*time.Minute, "how long to let the nodes rest before the first")
	flag.StringVar(&o.out, "o", "bench/results/watch.md", "where to write the results")
	flag.BoolVar(&o.keep, "keep", false, "leave the sandbox that was made")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		os.Exit(1)
	}
}

func (o options) run(ctx context.Context) (err error) {
	var box *sandbox.Sandbox
	if o.use != "" {
		box, err = sandbox.Open(o.use)
	} else {
		box, err = o.deploy(ctx)
		if box != nil && !o.keep {
			defer func() { err = errors.Join(err, box.Down(context.WithoutCancel(ctx))) }()
		}
	}
	if err != nil {
		return err
	}
	n, err := openNode(box)
	if err != nil {
		return err
	}
	r := &results{options: o, machine: machine.Describe(ctx), start: time.Now()}
	if err := r.measure(ctx, n); err != nil {
		return err
	}
	text := r.markdown()
	fmt.Print(text)
	return errors.Join(os.MkdirAll(filepath.Dir(o.out), 0o755), os.WriteFile(o.out, []byte(text), 0o644))
}

// measure takes the windows: as it is, and with nobody scraping.
func (r *results) measure(ctx context.Context, n *node) (err error) {
	say("the nodes rest for %s", r.options.settle)
	if err := pause(ctx, r.options.settle); err != nil {
		return err
	}
	if r.series, err = n.series(ctx); err != nil {
		return err
	}
	if r.watched, err = r.windows(ctx, n, "watched"); err != nil {
		return err
	}
	if r.memory, err = n.memory(); err != nil {
		return err
	}
	r.up = n.uptime()
	const scraper = "prometheus.service"
	if _, err := n.box.Exec(ctx, n.name, nil, "systemctl", "stop", scraper); err != nil {
		return err
	}
	defer func() {
		_, startErr := n.box.Exec(context.WithoutCancel(ctx), n.name, nil, "systemctl", "start", scraper)
		err = errors.Join(err, startErr)
	}()
	r.unwatched, err = r.windows(ctx, n, "with nobody scraping")
	return err
}

// windows measures processor time, in shares of a core, a window after the other.
func (r *results) windows(ctx context.Context, n *node, what string) ([]shares, error) {
	var all []shares
	for i := range r.options.windows {
		before, err := n.processor()
		if err != nil {
			return nil, err
		}
		mark, err := yardstick(ctx, r.options.window)
		if err != nil {
			return nil, err
		}
		after, err := n.processor()
		if err != nil {
			return nil, err
		}
		all = append(all, after.since(before))
		load, err := machine.Now().Minute()
		if err != nil {
			return nil, err
		}
		say("%s, window %d of %d, load %.1f, yardstick %.1f ms", what, i+1, r.options.windows, load, mark.Seconds()*1e3)
		r.loads = append(r.loads, fmt.Sprintf("%.1f", load))
		r.yardstick = append(r.yardstick, fmt.Sprintf("%.1f", mark.Seconds()*1e3))
	}
	return all, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// yardstickEvery is how often the yardstick is laid on: often enough for a median, and seldom enough not to
// be what keeps the machine busy.
const yardstickEvery = 3 * time.Second

// yardstick waits, and gives the median of what the yardstick took meanwhile.
func yardstick(ctx context.Context, d time.Duration) (time.Duration, error) {
	var took []time.Duration
	for end := time.Now().Add(d); time.Now().Before(end); {
		t, err := machine.Yardstick()
		if err != nil {
			return 0, err
		}
		took = append(took, t)
		if err := pause(ctx, min(yardstickEvery, time.Until(end))); err != nil {
			return 0, err
		}
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

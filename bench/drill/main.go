// Command drill repeats every drill on clusters of its own, synchronous and asynchronous, and
// writes down how long each phase took. See bench/README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options say what to drill, and on what.
type options struct {
	name, subnet  string
	rounds        int
	faults, modes string
	rto           string
	calm          float64
	patience      time.Duration
	out           string
}

func main() {
	var o options
	flag.StringVar(&o.name, "name", "t-bench-drill", "name of the sandbox to make; one of that name is removed first")
	flag.StringVar(&o.subnet, "subnet", "10.10.79.0/24", "its network")
	flag.IntVar(&o.rounds, "n", 5, "how often to repeat each drill")
	flag.StringVar(&o.faults, "faults", "", "which faults, with commas; all when empty")
	flag.StringVar(&o.modes, "modes", "synchronous,asynchronous", "which kinds of replication")
	flag.StringVar(&o.rto, "rto", "fast", "pg_rto of the clusters")
	flag.Float64Var(&o.calm, "calm", 0, "before each drill wait until the load average is below this; 0 does not wait")
	flag.DurationVar(&o.patience, "patience", 10*time.Minute, "how long to wait for that at most")
	flag.StringVar(&o.out, "o", "bench/results/drill", "where to write the results: .md and .json are added")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "drill:", err)
		os.Exit(1)
	}
}

// command is the command line as one types it.
func command() string {
	return strings.TrimSpace("go run ./bench/drill " + strings.Join(os.Args[1:], " "))
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

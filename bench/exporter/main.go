// Command exporter measures our exporter beside two others on one PostgreSQL server: what a scrape
// takes, what it costs the exporter and the server, and how much memory it needs, with more and more
// tables. See bench/README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"pigsty/bench/machine"
)

// options say what to measure, and how often.
type options struct {
	cache, work string
	tables      list
	rounds      int
	scrapes     int
	pace        time.Duration
	turns       int
	beats       int
	beat        time.Duration
	out         string
}

// list is numbers with commas.
type list []int

func (l *list) String() string { return strings.Trim(fmt.Sprint(*l), "[]") }

func (l *list) Set(text string) error {
	*l = nil
	for item := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(item)
		if err != nil || len(*l) > 0 && n <= (*l)[len(*l)-1] {
			return errors.New("numbers that grow are wanted, with commas")
		}
		*l = append(*l, n)
	}
	return nil
}

func main() {
	o := options{tables: list{0, 1000, 10000}}
	flag.StringVar(&o.cache, "cache", "/var/cache/pigsty/bench", "where the Debian systems with the packages are kept")
	flag.StringVar(&o.work, "work", "/var/tmp", "where the server's data goes for as long as it takes")
	flag.Var(&o.tables, "tables", "how many tables, step by step")
	flag.IntVar(&o.rounds, "rounds", 3, "how often each exporter has its turn, where series are equal")
	flag.IntVar(&o.scrapes, "scrapes", 4, "scrapes that count in such a turn")
	flag.DurationVar(&o.pace, "pace", time.Second, "between these scrapes")
	flag.IntVar(&o.turns, "turns", 2, "how often each exporter has its turn as it comes")
	flag.IntVar(&o.beats, "beats", 6, "scrapes that count in such a turn")
	flag.DurationVar(&o.beat, "beat", 10*time.Second, "between these scrapes")
	flag.StringVar(&o.out, "o", "bench/results/exporter.md", "where to write the results")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "exporter:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("this makes Debian systems and counts by cgroups, which needs root")
	}
	l, err := openLab(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	r := &results{options: o, start: machine.Now(), machine: machine.Describe(ctx), versions: l.versions(ctx)}
	made := 0
	for _, tables := range o.tables {
		say("%d tables", tables)
		if err := l.database.grow(ctx, made, tables); err != nil {
			return err
		}
		made = tables
		found, err := l.measure(ctx, tables)
		if err != nil {
			return err
		}
		r.found = append(r.found, found...)
	}
	r.end = machine.Now()
	text := r.markdown()
	fmt.Print(text)
	return errors.Join(os.MkdirAll(filepath.Dir(o.out), 0o755), os.WriteFile(o.out, []byte(text), 0o644))
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

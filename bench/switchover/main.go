// Command switchover measures how long clients of a cluster wait while its leader moves: by pigsty,
// which holds them at the pool, and by patronictl.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"

	"pigsty/bench/machine"
	"pigsty/bench/traffic"
)

// options are where the cluster is and what to do with it.
type options struct {
	inventory, sandbox, cluster, results string
	runs                                 int
}

func main() {
	var o options
	flag.StringVar(&o.inventory, "i", "conf/sandbox.yml", "inventory of a sandbox that is up")
	flag.StringVar(&o.sandbox, "sandbox", "main", "name of that sandbox")
	flag.StringVar(&o.cluster, "cluster", "pg-test", "cluster whose leader moves")
	flag.StringVar(&o.results, "results", "bench/results/switchover.md", "file for the results")
	flag.IntVar(&o.runs, "runs", 10, "switchovers by each way")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := o.run(ctx); err != nil {
		log.Fatal(err)
	}
}

// member is one of the cluster's, as pigsty pg list tells.
type member struct{ Name, Host, Role, State string }

func (o options) members(ctx context.Context) (all []member, leader int, err error) {
	out, err := exec.CommandContext(ctx, "bin/pigsty", "pg", "list", o.cluster, "-o", "json", "-i", o.inventory).Output()
	if err != nil {
		return nil, 0, fmt.Errorf("pigsty pg list: %w", err)
	}
	var list struct {
		Clusters []struct{ Members []member }
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return nil, 0, fmt.Errorf("pigsty pg list: %w", err)
	}
	if len(list.Clusters) != 1 {
		return nil, 0, fmt.Errorf("pigsty pg list knows %d clusters %s", len(list.Clusters), o.cluster)
	}
	all = list.Clusters[0].Members
	leader = slices.IndexFunc(all, func(m member) bool { return m.Role == "primary" })
	if leader < 0 {
		return nil, 0, fmt.Errorf("nobody leads %s", o.cluster)
	}
	return all, leader, nil
}

// way is a way to move the leader.
type way struct {
	name    string
	command func(o options, from, to string) []string
}

var ways = []way{
	{"pigsty pg switchover", func(o options, _, to string) []string {
		return []string{"bin/pigsty", "pg", "switchover", o.cluster, "--to", to, "-y", "-i", o.inventory}
	}},
	{"patronictl switchover", func(o options, from, to string) []string {
		return []string{
			"bin/pigsty", "sandbox", "exec", "--name", o.sandbox, "node-1", "--",
			"sudo", "-iu", "postgres", "patronictl", "-c", "/etc/patroni/patroni.yml", "switchover", o.cluster,
			"--leader", from, "--candidate", to, "--force",
		}
	}},
}

// sample is one switchover as clients have seen it.
type sample struct {
	took   time.Duration // of the command
	waited map[traffic.Kind]time.Duration
	failed map[traffic.Kind]int
}

func (o options) run(ctx context.Context) error {
	all, _, err := o.members(ctx)
	if err != nil {
		return err
	}
	var hosts []string
	for _, m := range all {
		hosts = append(hosts, m.Host)
	}
	target := func(host, port string) string {
		return fmt.Sprintf("postgres://test:test@%s:%s/test?sslmode=require&connect_timeout=5", host, port)
	}
	if err := traffic.Prepare(ctx, target(hosts[0], "5433")); err != nil {
		return err
	}
	var clients []traffic.Client
	for i := range 20 {
		kind := []traffic.Kind{traffic.Writer, traffic.Prepared, traffic.Caller, traffic.Writer, traffic.Prepared}[i/4]
		clients = append(clients, traffic.Client{Name: fmt.Sprintf("%s %d", kind, i), Kind: kind, Target: target(hosts[i%len(hosts)], "5433")})
	}
	for i, host := range hosts {
		clients = append(clients, traffic.Client{Name: fmt.Sprintf("reader %d", i), Kind: traffic.Reader, Target: target(host, "5434")})
	}
	load := traffic.Start(clients)
	defer load.Stop()
	var report strings.Builder
	for _, w := range ways {
		var samples []sample
		for range o.runs {
			s, err := o.once(ctx, w, load)
			if err != nil {
				return err
			}
			log.Printf("%s: %.1f s, waited %v, failed %v", w.name, s.took.Seconds(), s.waited, s.failed)
			samples = append(samples, s)
		}
		write(&report, w.name, samples)
	}
	return o.save(report.String())
}

// once moves the leader to the next member and waits until all members follow it.
func (o options) once(ctx context.Context, w way, load *traffic.Load) (sample, error) {
	all, leader, err := o.members(ctx)
	if err != nil {
		return sample{}, err
	}
	to := all[(leader+1)%len(all)].Name
	load.Reset()
	began := time.Now()
	argv := w.command(o, all[leader].Name, to)
	if out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
		return sample{}, fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out)
	}
	s := sample{took: time.Since(began), waited: map[traffic.Kind]time.Duration{}, failed: map[traffic.Kind]int{}}
	if err := o.settle(ctx, to); err != nil {
		return sample{}, err
	}
	for _, r := range load.Reset() {
		s.waited[r.Kind] = max(s.waited[r.Kind], r.Waited)
		s.failed[r.Kind] += len(r.Failed)
		for _, failure := range r.Failed[:min(1, len(r.Failed))] {
			log.Printf("  %s: %s", r.Name, failure)
		}
	}
	return s, nil
}

// settle waits until the member leads, all others follow it, and checks have seen it.
func (o options) settle(ctx context.Context, leader string) error {
	for {
		all, n, err := o.members(ctx)
		follows := func(m member) bool { return m.State == "streaming" || m.Name == leader }
		if err == nil && all[n].Name == leader && !slices.ContainsFunc(all, func(m member) bool { return !follows(m) }) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	time.Sleep(10 * time.Second) // the slowest check of HAProxy
	return nil
}

func (o options) save(report string) error {
	now := machine.Now()
	text := "# Switchover\n\nHow long clients wait while the leader of a cluster of three moves, and how many of their\n" +
		"transactions fail. 20 clients write through port 5433, by every member: 8 over a\n" +
		"connection that stays, 8 of the same with prepared statements, 4 over a new connection each time; three read\n" +
		"through 5434. A wait lasts until a transaction is acknowledged, failed attempts before it included.\nWritten by `go run ./bench/switchover`; see [README](../README.md).\n\n" +
		fmt.Sprintf("Measured on %s, load of the machine %s\n\n", now.At.Format(time.DateOnly), now.Load) + report
	return os.WriteFile(o.results, []byte(text), 0o644)
}

// write adds a table of one way.
func write(b *strings.Builder, name string, samples []sample) {
	fmt.Fprintf(b, "## %s, %d times\n\n| seconds | min | median | max | failed transactions |\n|---|---|---|---|---|\n", name, len(samples))
	row := func(label string, of func(sample) time.Duration, failed string) {
		var all []float64
		for _, s := range samples {
			all = append(all, of(s).Seconds())
		}
		slices.Sort(all)
		fmt.Fprintf(b, "| %s | %.2f | %.2f | %.2f | %s |\n", label, all[0], all[len(all)/2], all[len(all)-1], failed)
	}
	for _, kind := range []traffic.Kind{traffic.Writer, traffic.Prepared, traffic.Caller, traffic.Reader} {
		failed := 0
		for _, s := range samples {
			failed += s.failed[kind]
		}
		row("longest wait of a "+string(kind), func(s sample) time.Duration { return s.waited[kind] }, fmt.Sprint(failed))
	}
	row("the command", func(s sample) time.Duration { return s.took }, "")
	b.WriteString("\n")
}

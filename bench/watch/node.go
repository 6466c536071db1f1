package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"pigsty/bench/machine"
	"pigsty/internal/sandbox"
)

// sessions stands for the processes of PostgreSQL that serve pg_exporter, as a unit of its own:
// they run below Patroni's.
const sessions = "PostgreSQL's sessions of pg_exporter"

// node is the infrastructure node, seen from the host: its processes are in the host's /proc, its
// units are folders of the unified cgroup hierarchy, which counts processor time without any
// controller. Memory is not counted there where the controller is in the older hierarchy, and so is
// read of each process.
type node struct {
	box  *sandbox.Sandbox
	name string
	root string // cgroup of the node's systemd
}

func openNode(box *sandbox.Sandbox) (*node, error) {
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			name := box.Nodes()[0].Name
			return &node{box, name, filepath.Join(f[1], "pigsty-sandbox", box.Name(), name, "machine", "payload")}, nil
		}
	}
	return nil, errors.New("the unified cgroup hierarchy is not mounted")
}

// processor is the processor time that has been used until now.
type processor struct {
	at    time.Time
	units map[string]time.Duration
	// sessions are those of the exporter, by process.
	sessions map[int]time.Duration
}

// shares are parts of a core, by unit, over a window of time.
type shares map[string]float64

func (p processor) since(before processor) shares {
	wall := float64(p.at.Sub(before.at))
	s := shares{}
	for unit, used := range p.units {
		s[unit] = float64(used-before.units[unit]) / wall
	}
	for pid, used := range p.sessions {
		s[sessions] += float64(used-before.sessions[pid]) / wall
	}
	return s
}

func (n *node) processor() (processor, error) {
	p := processor{at: time.Now(), units: map[string]time.Duration{}, sessions: map[int]time.Duration{}}
	services, err := filepath.Glob(filepath.Join(n.root, "system.slice", "*.service"))
	if err != nil {
		return p, err
	}
	for _, folder := range append(services, filepath.Join(n.root, "init.scope")) {
		used, err := machine.CPU(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has just ended
		}
		if err != nil {
			return p, err
		}
		p.units[filepath.Base(folder)] = used
	}
	pids, err := processes(filepath.Join(n.root, "system.slice", "patroni.service"))
	if err != nil {
		return p, err
	}
	for _, pid := range pids {
		if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err != nil || !bytes.Contains(line, []byte("dbuser_monitor")) {
			continue
		}
		if used, err := running(pid); err == nil {
			p.sessions[pid] = used
		}
	}
	return p, nil
}

// running is the time that a process of one thread has been on a processor.
func running(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		return 0, err
	}
	var ns int64
	_, err = fmt.Sscan(string(text), &ns)
	return time.Duration(ns), err
}

// processes are those of a cgroup and all below it.
func processes(folder string) (pids []int, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "cgroup.procs" {
			return err
		}
		text, err := os.ReadFile(path)
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				return err
			}
			pids = append(pids, pid)
		}
		return err
	})
	return pids, err
}

// footprint is memory in bytes: what a unit alone has, its part of what it shares with others
// besides (PSS), and all of its pages that are in memory (RSS).
type footprint struct{ anonymous, proportional, resident int64 }

// memory is that of every unit.
func (n *node) memory() (map[string]footprint, error) {
	services, err := filepath.Glob(filepath.Join(n.root, "system.slice", "*.service"))
	if err != nil {
		return nil, err
	}
	out := map[string]footprint{}
	for _, folder := range services {
		pids, err := processes(folder)
		if err != nil {
			return nil, err
		}
		for _, pid := range pids {
			f, err := memoryOf(pid)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			unit := filepath.Base(folder)
			if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && unit == "patroni.service" && bytes.Contains(line, []byte("dbuser_monitor")) {
				unit = sessions
			}
			sum := out[unit]
			out[unit] = footprint{sum.anonymous + f.anonymous, sum.proportional + f.proportional, sum.resident + f.resident}
		}
	}
	return out, nil
}

func memoryOf(pid int) (footprint, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return footprint{}, err
	}
	var f footprint
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		to, ok := map[string]*int64{"Anonymous:": &f.anonymous, "Pss:": &f.proportional, "Rss:": &f.resident}[fields[0]]
		if !ok {
			continue
		}
		kb, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return f, err
		}
		*to = kb << 10
	}
	return f, nil
}

// series counts what Prometheus holds, and how many targets it scrapes.
func (n *node) series(ctx context.Context) (counts [2]string, err error) {
	for i, query := range []string{"prometheus_tsdb_head_series", "count(up)"} {
		out, err := n.box.Exec(ctx, n.name, nil, "curl", "-sS", "--fail", "--cacert", "/etc/pigsty/ca.crt",
			"--data-urlencode", "query="+query, "https://127.0.0.1:9090/api/v1/query")
		if err != nil {
			return counts, err
		}
		var answer struct {
			Data struct{ Result []struct{ Value [2]any } }
		}
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			return counts, fmt.Errorf("what Prometheus answers: %w", err)
		}
		if len(answer.Data.Result) != 1 {
			return counts, fmt.Errorf("for %s, Prometheus has %d series and not one", query, len(answer.Data.Result))
		}
		counts[i] = fmt.Sprint(answer.Data.Result[0].Value[1])
	}
	return counts, nil
}

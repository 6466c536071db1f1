package main

import (
	"bufio"
	"bytes"
	"slices"
	"strings"
)

// own are the metrics that exporters tell of themselves: they are nobody's to compare.
var own = []string{"go_", "process_", "promhttp_", "pg_exporter_", "postgres_exporter_", "pg_scrape_collector_", "pgbouncer_exporter_"}

// parse gives the series of a scrape: name and labels, these sorted, empty ones left out as
// Prometheus does, and how many are no number. What an exporter tells of itself is left out.
func parse(text []byte) (out map[string]bool, nan int) {
	out = map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == '#' || slices.ContainsFunc(own, func(prefix string) bool { return strings.HasPrefix(line, prefix) }) {
			continue
		}
		out[normal(line)] = true
		if strings.HasSuffix(line, " NaN") {
			nan++
		}
	}
	return out, nan
}

// normal gives the series of a line without its value.
func normal(line string) string {
	name, rest, labelled := strings.Cut(line, "{")
	if !labelled {
		name, _, _ = strings.Cut(line, " ")
		return name
	}
	var labels []string
	for rest[0] != '}' {
		begin := strings.Index(rest, `="`) + 2
		end := begin
		for ; rest[end] != '"'; end++ {
			if rest[end] == '\\' {
				end++
			}
		}
		if end > begin {
			labels = append(labels, rest[:end+1])
		}
		rest = strings.TrimPrefix(rest[end+1:], ",")
	}
	slices.Sort(labels)
	return name + "{" + strings.Join(labels, ",") + "}"
}

// names gives how many series each metric has.
func names(series map[string]bool) map[string]int {
	out := map[string]int{}
	for s := range series {
		name, _, _ := strings.Cut(s, "{")
		out[name]++
	}
	return out
}

// both gives what is in both.
func both(a, b map[string]bool) map[string]bool {
	out := map[string]bool{}
	for s := range a {
		if b[s] {
			out[s] = true
		}
	}
	return out
}

package exporter

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"pigsty/internal/exporter/series"
)

// clockTicks is how many ticks of CPU time Linux counts a second, on every architecture we run on.
const clockTicks = 100

// writeProcess writes what the exporter itself takes, under the names that every exporter uses.
func (e *Exporter) writeProcess(w *series.Writer) {
	var l series.Labels
	l.Add("version", []byte(e.options.Version))
	l.Add("goversion", []byte(runtime.Version()))
	w.One("pg_exporter_build_info", "gauge", "always 1, with the version of the exporter", l.Bytes(), 1)
	w.One("go_goroutines", "gauge", "goroutines of the exporter", nil, float64(runtime.NumGoroutine()))
	if cpu, ok := cpuSeconds(); ok {
		w.One("process_cpu_seconds_total", "counter", "CPU time that the exporter has taken, in seconds", nil, cpu)
	}
	if bytes, ok := residentBytes(); ok {
		w.One("process_resident_memory_bytes", "gauge", "memory that the exporter takes, in bytes", nil, bytes)
	}
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil {
		w.One("process_open_fds", "gauge", "files and connections that the exporter has open", nil, float64(len(fds)))
	}
}

// cpuSeconds reads utime and stime, fields 14 and 15 of /proc/self/stat; the second field, the
// name in parentheses, may have spaces.
func cpuSeconds() (float64, bool) {
	data, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, false
	}
	_, rest, ok := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, false
	}
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	return (user + system) / clockTicks, err1 == nil && err2 == nil
}

// residentBytes reads the second field of /proc/self/statm, which counts pages.
func residentBytes() (float64, bool) {
	data, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(data))
	if err != nil || len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize()), err == nil
}

package fact

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// InContainer tells whether the system under root shares its kernel with a host that owns the
// kernel's settings.
func InContainer(root string) bool {
	t := tree(root)
	for _, mark := range []string{"/run/systemd/container", "/run/.containerenv", "/.dockerenv"} {
		if _, err := os.Stat(t.path(mark)); err == nil {
			return true
		}
	}
	for variable := range strings.SplitSeq(t.read("/proc/1/environ"), "\x00") {
		if strings.HasPrefix(variable, "container=") {
			return true
		}
	}
	return false
}

type release struct {
	id, codename string
	major        int
}

// release reads /etc/os-release. A development version has no number and counts as 0.
func (t tree) release() (release, error) {
	text := t.read("/etc/os-release")
	if text == "" {
		return release{}, errors.New("/etc/os-release is missing or empty: the system cannot be recognised")
	}
	values := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		if name, value, ok := strings.Cut(line, "="); ok {
			values[name] = strings.Trim(value, `"'`)
		}
	}
	if values["ID"] == "" {
		return release{}, errors.New("/etc/os-release has no ID: the system cannot be recognised")
	}
	r := release{id: values["ID"], codename: values["VERSION_CODENAME"]}
	major, _, _ := strings.Cut(values["VERSION_ID"], ".")
	if n, err := strconv.Atoi(major); err == nil {
		r.major = n
	}
	return r, nil
}

// hostname is the running name, without a domain.
func (t tree) hostname() (string, error) {
	name := strings.TrimSpace(t.read("/proc/sys/kernel/hostname"))
	if name == "" {
		name = strings.TrimSpace(t.read("/etc/hostname"))
	}
	if name == "" {
		return "", errors.New("neither /proc/sys/kernel/hostname nor /etc/hostname tells the node's name")
	}
	name, _, _ = strings.Cut(name, ".")
	return name, nil
}

// cpus counts the processors the kernel knows. The scheduler's own limits on this process say
// nothing of what a service may use.
func (t tree) cpus() int {
	n := 0
	for line := range strings.SplitSeq(t.read("/proc/cpuinfo"), "\n") {
		if strings.HasPrefix(line, "processor\t") {
			n++
		}
	}
	if n == 0 {
		return runtime.NumCPU()
	}
	return n
}

// memory is MemTotal of /proc/meminfo, in bytes.
func (t tree) memory() int64 {
	for line := range strings.SplitSeq(t.read("/proc/meminfo"), "\n") {
		var kibibytes int64
		if n, _ := fmt.Sscanf(line, "MemTotal: %d kB", &kibibytes); n == 1 {
			return kibibytes << 10
		}
	}
	return 0
}

// disk is the size of the file system that holds the path, or will once the path is made.
func (t tree) disk(path string) int64 {
	if path == "" {
		path = "/"
	}
	var s unix.Statfs_t
	for {
		err := unix.Statfs(t.path(path), &s)
		if err == nil {
			return int64(s.Blocks) * s.Frsize
		}
		if path == "/" || path == "." {
			return 0
		}
		path = filepath.Dir(path)
	}
}

// timezone is the name behind /etc/localtime; a system without one runs on UTC.
func (t tree) timezone() string {
	if target, err := os.Readlink(t.path("/etc/localtime")); err == nil {
		if _, zone, ok := strings.Cut(target, "zoneinfo/"); ok {
			return zone
		}
	}
	if zone := strings.TrimSpace(t.read("/etc/timezone")); zone != "" {
		return zone
	}
	return "UTC"
}

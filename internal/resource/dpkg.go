package resource

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

const (
	dpkgStatusFile = "/var/lib/dpkg/status"
	dpkgUpdatesDir = "/var/lib/dpkg/updates"
)

// dpkgStatus is dpkg's own record of what is installed, as read at one moment.
type dpkgStatus struct {
	modified time.Time
	size     int64
	packages map[string]dpkgEntry
	provided map[string]string // virtual package: an installed one that provides it
	halfway  []string          // packages that an interrupted dpkg left unfinished
}

// dpkgEntry is one package as dpkg's status file tells it.
type dpkgEntry struct {
	name     string
	version  string
	state    string // installed, unpacked, half-configured, config-files …
	provides []string
}

// installed tells whether the package works. Pending triggers are another package's errand.
func (e dpkgEntry) installed() bool {
	return e.state == "installed" || e.state == "triggers-awaited" || e.state == "triggers-pending"
}

// packages returns dpkg's status. It is read once and again only when the file has changed, so
// that asking for a hundred packages costs one read.
func (h *Host) packages() (*dpkgStatus, error) {
	info, err := os.Stat(h.Path(dpkgStatusFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: only Debian and its relatives are supported", dpkgStatusFile)
	}
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dpkg != nil && h.dpkg.modified.Equal(info.ModTime()) && h.dpkg.size == info.Size() {
		return h.dpkg, nil
	}
	data, err := os.ReadFile(h.Path(dpkgStatusFile))
	if err != nil {
		return nil, err
	}
	h.dpkg = parseDpkgStatus(string(data))
	h.dpkg.modified, h.dpkg.size = info.ModTime(), info.Size()
	return h.dpkg, nil
}

// parseDpkgStatus reads the stanzas of a status file. Of a package present for several
// architectures, one that is installed counts.
func parseDpkgStatus(text string) *dpkgStatus {
	s := &dpkgStatus{packages: map[string]dpkgEntry{}, provided: map[string]string{}}
	var e dpkgEntry
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			s.add(e)
			e = dpkgEntry{}
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Package":
			e.name = value
		case "Version":
			e.version = value
		case "Status":
			e.state = value[strings.LastIndexByte(value, ' ')+1:]
		case "Provides":
			e.provides = strings.Split(value, ",")
		}
	}
	s.add(e)
	return s
}

func (s *dpkgStatus) add(e dpkgEntry) {
	if e.name == "" {
		return
	}
	switch e.state {
	case "unpacked", "half-configured", "half-installed":
		s.halfway = append(s.halfway, e.name)
	}
	if !s.packages[e.name].installed() {
		s.packages[e.name] = e
	}
	if !e.installed() {
		return
	}
	for _, virtual := range e.provides {
		// "name (= 1.2)"; the version of a virtual package is of no use here.
		name, _, _ := strings.Cut(strings.TrimSpace(virtual), " ")
		s.provided[name] = e.name
	}
}

// has tells whether a package, given as "name" or "name=version", is installed. A version that
// ends in * matches by its beginning, as apt has it.
func (s *dpkgStatus) has(want string) bool {
	name, version, pinned := strings.Cut(want, "=")
	e := s.packages[name]
	if !pinned {
		return e.installed() || s.provided[name] != ""
	}
	if prefix, any := strings.CutSuffix(version, "*"); any {
		return e.installed() && strings.HasPrefix(e.version, prefix)
	}
	return e.installed() && e.version == version
}

// interrupted tells whether a dpkg was killed at work and has to finish before the next.
func (h *Host) interrupted() (bool, error) {
	status, err := h.packages()
	if err != nil {
		return false, err
	}
	journal, err := os.ReadDir(h.Path(dpkgUpdatesDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return len(status.halfway) > 0 || len(journal) > 0, nil
}

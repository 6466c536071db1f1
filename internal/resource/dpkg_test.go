package resource

import (
	"slices"
	"strings"
	"testing"
)

func TestDpkgStatus(t *testing.T) {
	s := parseDpkgStatus(`Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.41-12
Provides: libc6-udeb (= 1), glibc
Description: GNU C Library
 Package: not-a-field

Package: libc6
Status: deinstall ok config-files
Architecture: i386
Version: 2.40-1

Package: pinned
Status: hold ok installed
Version: 1:4.0.7-1~deb13u1

Package: waiting
Status: install ok triggers-pending
Version: 1

Package: broken
Status: install reinstreq half-installed
Version: 1

Package: removed
Status: deinstall ok config-files
Version: 1
Provides: ghost
`)
	for want, has := range map[string]bool{
		"libc6": true, "libc6=2.41-12": true, "libc6=2.41*": true, "libc6=2.40-1": false, "libc6=2.40*": false,
		"glibc": true, "libc6-udeb": true, "glibc=1": false,
		"pinned": true, "pinned=1:4.0.7-1~deb13u1": true, "waiting": true,
		"broken": false, "removed": false, "ghost": false, "unknown": false, "unknown=1": false, "unknown=*": false,
	} {
		if got := s.has(want); got != has {
			t.Errorf("has %s: %t, want %t", want, got, has)
		}
	}
	if !slices.Equal(s.halfway, []string{"broken"}) {
		t.Errorf("halfway %q", s.halfway)
	}
}

func BenchmarkDpkgStatus(b *testing.B) {
	stanza := "Package: name\nStatus: install ok installed\nPriority: optional\nVersion: 1.0\nDescription: " + strings.Repeat("x", 600) + "\n\n"
	text := strings.Repeat(stanza, 1000)
	for b.Loop() {
		parseDpkgStatus(text)
	}
}

func TestAptExplained(t *testing.T) {
	for output, want := range map[string]string{
		"Reading package lists...\nE: Unable to locate package etdc":                                 "no repository of this node has etdc",
		"Package etcd is not available\nE: Package 'etcd' has no installation candidate":             "has etcd:",
		"E: Version '9.9' for 'patroni' was not found":                                               "has patroni=9.9:",
		"E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 12 (apt)":          "another program has been using apt for 2m0s",
		"E: You don't have enough free space in /var/cache/apt/archives/.":                           "apt: You don't have enough free space",
		"dpkg: error processing package x (--configure):\n installed x\nE: Sub-process returned (1)": "apt: dpkg: error processing package x (--configure):; Sub-process",
		"something else": "apt-get: <nil>: something else",
	} {
		err := explainApt(&CommandError{Argv: []string{"apt-get"}, Output: output})
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", output, err, want)
		}
	}
}

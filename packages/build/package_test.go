package main

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// member is a file in a package.
type member struct {
	tar.Header
	text string
}

// dataOf gives what a .deb installs, as dpkg unpacks it.
func dataOf(t *testing.T, deb string) []member { return untar(t, "--fsys-tarfile", deb) }

func untar(t *testing.T, part, deb string) []member {
	t.Helper()
	out, err := exec.Command("dpkg-deb", part, deb).Output()
	if err != nil {
		t.Fatalf("dpkg-deb %s: %v", part, err)
	}
	var all []member
	for r := tar.NewReader(bytes.NewReader(out)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, member{*h, string(text)})
	}
}

func find(t *testing.T, all []member, name string) member {
	t.Helper()
	at := slices.IndexFunc(all, func(m member) bool { return m.Name == name })
	if at < 0 {
		t.Fatalf("the package has no %s", name)
	}
	return all[at]
}

func TestDebInstallsWhatTheRecipeSays(t *testing.T) {
	s := newSite(t)
	s.write("toy/pages/.pigsty/secrets.yml", "password: hidden\n")
	s.must("-format", "deb", "toy")
	data := dataOf(t, filepath.Join(s.out, toyDeb()))
	var got []string
	for _, m := range data {
		if m.Typeflag == tar.TypeDir {
			if m.Mode != 0o755 {
				t.Errorf("folder %s has mode %o", m.Name, m.Mode)
			}
			continue
		}
		if m.Uname != "root" || m.Gname != "root" || m.ModTime.UTC().Format("2006-01-02T15:04:05") != "2026-01-31T00:00:00" {
			t.Errorf("%s: owner %s:%s, time %s", m.Name, m.Uname, m.Gname, m.ModTime)
		}
		got = append(got, m.FileInfo().Mode().String()+" "+m.Name)
	}
	want := []string{
		"-rw-r----- ./etc/toy/config.yml",
		"-rwxr-xr-x ./usr/bin/toy",
		"Lrwxrwxrwx ./usr/bin/toy-again",
		"-rw-r--r-- ./usr/lib/systemd/system/toy.service",
		"-rw-r--r-- ./usr/lib/sysusers.d/toy.conf",
		"-rw-r--r-- ./usr/share/bash-completion/completions/toy",
		"-rw-r--r-- ./usr/share/doc/toy/NOTICES.gz",
		"-rw-r--r-- ./usr/share/doc/toy/copyright",
		"-rw-r--r-- ./usr/share/doc/toy/go.mod",
		"-rw-r--r-- ./usr/share/doc/toy/go.sum.gz",
		"-rw-r--r-- ./usr/share/doc/toy/greeting/cmd/toy/main.go",
		"-rw-r--r-- ./usr/share/doc/toy/greeting/go.mod",
		"-rw-r--r-- ./usr/share/doc/toy/pages/more/two.md",
		"-rw-r--r-- ./usr/share/doc/toy/pages/one.md",
		"-rw-r--r-- ./usr/share/man/man1/toy.1.gz",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if link := find(t, data, "./usr/bin/toy-again"); link.Linkname != "toy" {
		t.Errorf("the link leads to %s", link.Linkname)
	}
	if users := find(t, data, "./usr/lib/sysusers.d/toy.conf").text; users != "u toy - \"Says hello\" /var/lib/toy\nm toy adm\n" {
		t.Errorf("accounts:\n%s", users)
	}
	copyright := find(t, data, "./usr/share/doc/toy/copyright").text
	for _, want := range []string{"Package: toy 1.2.0\n", "Licence: MIT\n", "Source: https://example.org/source\n", "go build example.org/greeting/cmd/toy", "Permission is hereby granted to greet."} {
		if !strings.Contains(copyright, want) {
			t.Errorf("no %q in copyright:\n%s", want, copyright)
		}
	}
	checkProgram(t, find(t, data, "./usr/bin/toy").text)
}

// checkProgram runs a program out of a package.
func checkProgram(t *testing.T, content string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "toy")
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path).Output()
	if err != nil || string(out) != "hello from 1.2.0\n" {
		t.Errorf("the program says %q, %v", out, err)
	}
}

func TestDebTellsDpkgWhatItIs(t *testing.T) {
	s := newSite(t)
	s.must("-format", "deb", "toy")
	deb := filepath.Join(s.out, toyDeb())
	fields := []string{"Package", "Version", "Architecture", "Section", "Priority", "Depends", "Conflicts", "Homepage", "Description"}
	out, err := exec.Command("dpkg-deb", append([]string{"--field", deb}, fields...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := `Package: toy
Version: 1.2.0-3
Architecture: ` + runtime.GOARCH + `
Section: misc
Priority: optional
Depends: systemd | systemd-standalone-sysusers
Conflicts: other
Homepage: https://example.org/
Description: Says hello
 It says hello.
 .
 And nothing else.
`
	if diff := cmp.Diff(want, string(out)); diff != "" {
		t.Errorf("control (-want +got):\n%s", diff)
	}
	control := untar(t, "--ctrl-tarfile", deb)
	if got := strings.TrimSpace(find(t, control, "./conffiles").text); got != "/etc/toy/config.yml" {
		t.Errorf("conffiles: %q", got)
	}
	for _, name := range []string{"postinst", "prerm", "postrm"} {
		m := find(t, control, "./"+name)
		if m.Mode != 0o755 || !strings.HasPrefix(m.text, "#!/bin/sh\n") {
			t.Errorf("%s: mode %o, begins %.20q", name, m.Mode, m.text)
		}
		if strings.Contains(m.text, "{{") || strings.Contains(m.text, "<no value>") {
			t.Errorf("%s was not rendered:\n%s", name, m.text)
		}
		check := exec.Command("sh", "-n")
		check.Stdin = strings.NewReader(m.text)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// Tags of an .rpm's header, and what they are of a file that people change.
const (
	rpmName, rpmVersion, rpmRelease, rpmArch, rpmBuildHost = 1000, 1001, 1002, 1022, 1007
	rpmFileFlags, rpmBaseNames                             = 1037, 1117
	rpmConfigNoReplace                                     = 1 | 1<<4
)

func TestRPMTellsWhatItIs(t *testing.T) {
	s := newSite(t)
	s.must("-format", "rpm", "-arch", "arm64", "toy")
	h := rpmHeader(t, filepath.Join(s.out, "toy-1.2.0-3.aarch64.rpm"))
	for tag, want := range map[uint32]string{rpmName: "toy", rpmVersion: "1.2.0", rpmRelease: "3", rpmArch: "aarch64", rpmBuildHost: "localhost"} {
		if got := h.strings(tag); !slices.Equal(got, []string{want}) {
			t.Errorf("tag %d is %q, want %q", tag, got, want)
		}
	}
	names := h.strings(rpmBaseNames)
	if !slices.Contains(names, "_toy") {
		t.Errorf("what is for this format alone is missing: %q", names)
	}
	at := slices.Index(names, "config.yml")
	if at < 0 || h.numbers(rpmFileFlags)[at] != rpmConfigNoReplace {
		t.Errorf("config.yml is not kept in upgrades: %q, %v", names, h.numbers(rpmFileFlags))
	}
}

// header is the main header of an .rpm.
type header struct {
	index map[uint32][3]uint32 // tag → type, offset, count
	store []byte
}

// rpmHeader reads an .rpm: a lead of 96 bytes, a header with checksums, filled to eight bytes, and
// the one that counts.
func rpmHeader(t *testing.T, path string) header {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, size := parseHeader(t, text[96:])
	at := 96 + (size+7)/8*8
	h, _ := parseHeader(t, text[at:])
	return h
}

func parseHeader(t *testing.T, text []byte) (h header, size int) {
	t.Helper()
	if !bytes.HasPrefix(text, []byte{0x8e, 0xad, 0xe8, 1}) {
		t.Fatalf("no header: %x", text[:4])
	}
	number := func(at int) uint32 { return binary.BigEndian.Uint32(text[at:]) }
	entries, length := int(number(8)), int(number(12))
	h.index = make(map[uint32][3]uint32)
	for at := 16; at < 16+16*entries; at += 16 {
		h.index[number(at)] = [3]uint32{number(at + 4), number(at + 8), number(at + 12)}
	}
	size = 16 + 16*entries + length
	h.store = text[16+16*entries : size]
	return h, size
}

func (h header) strings(tag uint32) []string {
	entry := h.index[tag]
	all := strings.Split(string(h.store[entry[1]:]), "\x00")
	return all[:entry[2]]
}

func (h header) numbers(tag uint32) []uint32 {
	entry := h.index[tag]
	out := make([]uint32, entry[2])
	for i := range out {
		out[i] = binary.BigEndian.Uint32(h.store[int(entry[1])+4*i:])
	}
	return out
}

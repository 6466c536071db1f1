package repository

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"pigsty/internal/aptrepo"
	"pigsty/internal/deb"
	"pigsty/internal/resource"
)

// cacheDir holds what can be made again: apt's lists and downloads while a repository is built.
const cacheDir = "/var/cache/pigsty/repository"

var aptEnv = []string{"DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"}

// root is a folder in which apt works as if the system had no package at all: it takes nothing from
// the node's own state, and changes nothing of it.
type root struct {
	h    *resource.Host
	dir  string // on the node
	arch string
	// foreign says that the sources are another node's, whose keys are in the folder.
	foreign bool
	// status is what is installed there, in dpkg's form.
	status string
}

// open makes the folder. A folder that is there keeps its lists.
func (a *root) open() error {
	for _, dir := range []string{"lists/partial", "archives/partial", "sources", "keys"} {
		if err := os.MkdirAll(a.h.Path(path.Join(a.dir, dir)), 0o755); err != nil {
			return fmt.Errorf("make a folder for apt: %w", err)
		}
	}
	return a.setStatus("")
}

// setStatus says what is installed.
func (a *root) setStatus(status string) error {
	a.status = status
	return a.h.WriteFile(path.Join(a.dir, "status"), []byte(status), 0o644)
}

// options have apt work in the folder, with the sources in it.
func (a *root) options() []string {
	var options []string
	if a.foreign {
		options = append(options, "-o", "Dir::Etc::trustedparts="+a.dir+"/keys")
	}
	for _, o := range []string{
		"Dir::State=" + a.dir,
		"Dir::State::status=" + a.dir + "/status",
		"Dir::State::lists=" + a.dir + "/lists",
		"Dir::State::extended_states=" + a.dir + "/extended_states",
		"Dir::Cache=" + a.dir,
		"Dir::Cache::archives=" + a.dir + "/archives",
		"Dir::Etc::sourcelist=/dev/null",
		"Dir::Etc::sourceparts=" + a.dir + "/sources",
		"Dir::Etc::preferences=/dev/null",
		"Dir::Etc::preferencesparts=/dev/null",
		"APT::Architecture=" + a.arch,
		"APT::Architectures=" + a.arch,
		"APT::Sandbox::User=root", // the folder belongs to root
		"APT::Get::AllowUnauthenticated=false",
		"Acquire::Languages=none",
		"Acquire::Retries=3",
	} {
		options = append(options, "-o", o)
	}
	return options
}

// setSources says where packages come from: files of apt's sources, by their names.
func (a *root) setSources(files map[string]string) error {
	old, err := os.ReadDir(a.h.Path(path.Join(a.dir, "sources")))
	if err != nil {
		return err
	}
	for _, e := range old {
		if _, kept := files[e.Name()]; !kept {
			if err := os.Remove(a.h.Path(path.Join(a.dir, "sources", e.Name()))); err != nil {
				return err
			}
		}
	}
	for name, text := range files {
		if err := a.h.WriteFile(path.Join(a.dir, "sources", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// refreshed is a file that tells for which sources the lists were fetched, and by its date when.
const refreshed = "refreshed"

// fresh tells whether the lists are of these sources and no older than that.
func (a *root) fresh(sources string, age time.Duration) bool {
	file := a.h.Path(path.Join(a.dir, refreshed))
	info, err := os.Stat(file)
	if err != nil || time.Since(info.ModTime()) > age {
		return false
	}
	of, err := os.ReadFile(file)
	return err == nil && string(of) == digest(sources)
}

// update fetches the lists.
func (a *root) update(ctx context.Context, sources string) error {
	if err := os.Remove(a.h.Path(path.Join(a.dir, refreshed))); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := a.apt(ctx, "apt-get", "update", "-q", "--error-on=any"); err != nil {
		return err
	}
	return a.h.WriteFile(path.Join(a.dir, refreshed), []byte(digest(sources)), 0o644)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// apt runs one of apt's programs in the folder.
func (a *root) apt(ctx context.Context, program string, args ...string) (string, error) {
	argv := slices.Concat([]string{program}, a.options(), args)
	out, err := a.h.Exec.Run(ctx, resource.Command{Argv: argv, Env: aptEnv})
	return string(out), err
}

// found is a package that apt would install, and where it has it from.
type found struct {
	name, version, arch, origin string
}

func (f found) id() string { return f.name + ":" + f.arch + "=" + f.version }

// installs matches a line of a simulated installation, such as
// "Inst jq (1.7.1-6 Debian:13.2/stable, Debian-Security:13/stable-security [amd64]) []".
var installs = regexp.MustCompile(`^Inst (\S+) (?:\[\S+\] )?\((\S+) (.*) ?\[(\S+)\]\)`)

var removes = regexp.MustCompile(`^Remv (\S+) `)

// simulate asks what installing the set would bring, and take away.
func (a *root) simulate(ctx context.Context, set aptrepo.Set) (comes []found, goes []string, err error) {
	args := []string{"-s", "-q", "-y", "install"}
	if !set.Recommends {
		args = append(args, "--no-install-recommends")
	}
	out, err := a.apt(ctx, "apt-get", append(args, set.Packages...)...)
	if err != nil {
		return nil, nil, err
	}
	for line := range strings.Lines(out) {
		if m := installs.FindStringSubmatch(line); m != nil {
			name, _, _ := strings.Cut(m[1], ":")
			origin, _, _ := strings.Cut(m[3], ",")
			comes = append(comes, found{name, m[2], m[4], strings.TrimSpace(origin)})
		} else if m := removes.FindStringSubmatch(line); m != nil {
			name, _, _ := strings.Cut(m[1], ":")
			goes = append(goes, name)
		}
	}
	return comes, goes, nil
}

// describe reads what the sources say of packages.
func (a *root) describe(ctx context.Context, wanted []found) (map[string]deb.Package, error) {
	args := []string{"show"}
	for _, f := range wanted {
		args = append(args, f.name+"="+f.version)
	}
	text, err := a.apt(ctx, "apt-cache", args...)
	if err != nil {
		return nil, err
	}
	stanzas, err := deb.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("read what apt-cache shows: %w", err)
	}
	all := map[string]deb.Package{}
	for _, s := range stanzas {
		p, err := deb.Read(s)
		if err != nil {
			return nil, err
		}
		if _, twice := all[p.ID()]; !twice && p.SHA256 != "" {
			all[p.ID()] = p
		}
	}
	for _, f := range wanted {
		if _, ok := all[f.id()]; !ok {
			return nil, fmt.Errorf("the sources tell no SHA256 of %s: they are too old to be trusted", f.id())
		}
	}
	return all, nil
}

// matching are the names of all packages of the sources that a pattern matches.
func (a *root) matching(ctx context.Context, pattern string) ([]string, error) {
	prefix, _, _ := strings.Cut(pattern, "*")
	out, err := a.apt(ctx, "apt-cache", "pkgnames", prefix)
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range strings.FieldsSeq(out) {
		if ok, err := path.Match(pattern, name); err == nil && ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// archive is the file that apt fetches a package to.
func (a *root) archive(f found) string {
	escape := strings.NewReplacer(":", "%3a", "_", "%5f").Replace
	return path.Join(a.dir, "archives", escape(f.name)+"_"+escape(f.version)+"_"+f.arch+".deb")
}

// download fetches packages; apt checks them against its signed lists.
func (a *root) download(ctx context.Context, wanted []found) error {
	argv := slices.Concat([]string{"env", "-C", path.Join(a.dir, "archives"), "apt-get"}, a.options(), []string{"download", "-q"})
	for _, f := range wanted {
		argv = append(argv, f.name+"="+f.version)
	}
	_, err := a.h.Exec.Run(ctx, resource.Command{Argv: argv, Env: aptEnv})
	return err
}

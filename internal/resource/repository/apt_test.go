package repository_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pigsty/internal/deb"
	"pigsty/internal/openpgp"
	"pigsty/internal/resource"
)

// archive imitates apt's programs over a few packages, as far as a repository is built with them: it
// resolves dependencies without alternatives, reads the repository that is there, and "fetches" from
// a world of packages that a test changes as it likes. What real apt does with it is tested on nodes.
type archive struct {
	t     *testing.T
	root  string
	world []deb.Package
	// unreachable has every update of sources other than files fail.
	unreachable bool
	// failDownload fails the download of a package, once the ones before it have come.
	failDownload string
	calls        []string
}

// data is what is in a package's file.
func data(p deb.Package) string { return p.Control.String() }

// made is a package of the world; needs are what it depends on.
func made(name, version string, fields ...string) deb.Package {
	control := deb.Stanza{{Name: "Package", Value: name}, {Name: "Version", Value: version}, {Name: "Architecture", Value: "amd64"}, {Name: "Priority", Value: "optional"}}
	for _, f := range fields {
		field, value, _ := strings.Cut(f, ": ")
		control = control.With(field, value)
	}
	p, err := deb.Read(control)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256([]byte(data(p)))
	p.SHA256, p.Size, p.Filename = hex.EncodeToString(sum[:]), int64(len(data(p))), "pool/main/"+p.FileName()
	return p
}

// Run carries a command out.
func (a *archive) Run(_ context.Context, c resource.Command) ([]byte, error) {
	a.calls = append(a.calls, strings.Join(c.Argv, " "))
	argv := c.Argv
	dir := ""
	if argv[0] == "env" {
		dir, argv = argv[2], argv[3:]
	}
	options, words := map[string]string{}, []string{}
	for i := 1; i < len(argv); i++ {
		switch {
		case argv[i] == "-o":
			name, value, _ := strings.Cut(argv[i+1], "=")
			options[name] = value
			i++
		case !strings.HasPrefix(argv[i], "-"):
			words = append(words, argv[i])
		}
	}
	out, err := a.run(argv[0], options, words, dir)
	if err != nil {
		return nil, &resource.CommandError{Argv: c.Argv, Output: err.Error(), Err: errors.New("exit status 100")}
	}
	return []byte(out), nil
}

func (a *archive) run(program string, options map[string]string, words []string, dir string) (string, error) {
	switch program {
	case "dpkg-deb":
		text, err := os.ReadFile(words[0])
		return string(text), err
	case "/usr/lib/apt/apt-helper":
		for _, p := range a.world {
			if strings.HasSuffix(words[1], p.FileName()) {
				return "", os.WriteFile(filepath.Join(a.root, words[2]), []byte(data(p)), 0o644)
			}
		}
		return "", fmt.Errorf("E: Failed to fetch %s  404  Not Found", words[1])
	}
	known, err := a.known(options)
	if err != nil {
		return "", err
	}
	switch program + " " + words[0] {
	case "apt-get update":
		return "", nil
	case "apt-get install":
		return a.install(known, options, words[1:])
	case "apt-get download":
		return "", a.download(known, words[1:], dir)
	case "apt-cache show":
		return a.show(known, words[1:])
	case "apt-cache pkgnames":
		var names []string
		for _, p := range known {
			names = append(names, p.Name)
		}
		return strings.Join(names, "\n"), nil
	}
	return "", fmt.Errorf("the imitated %s does not know %q", program, words)
}

// known are the packages of the sources that the options name.
func (a *archive) known(options map[string]string) ([]deb.Package, error) {
	files, err := filepath.Glob(filepath.Join(a.root, options["Dir::Etc::sourceparts"], "*"))
	if err != nil {
		return nil, err
	}
	var all []deb.Package
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		_, rest, local := strings.Cut(string(text), "file:")
		if !local {
			if a.unreachable {
				return nil, errors.New("E: Failed to fetch http://archive.example/debian/dists/trixie/InRelease  Temporary failure resolving 'archive.example'")
			}
			all = append(all, a.world...)
			continue
		}
		f := strings.Fields(rest)
		stanzas, err := a.index(string(text), f[0], f[1], options["APT::Architecture"])
		if err != nil {
			return nil, err
		}
		all = append(all, stanzas...)
	}
	return all, nil
}

// index reads a repository as apt does: the Release file, its signature, the Packages file.
func (a *archive) index(source, dir, codename, arch string) ([]deb.Package, error) {
	suite := filepath.Join(a.root, dir, "dists", codename)
	release, err := os.ReadFile(filepath.Join(suite, "Release"))
	if err != nil {
		return nil, err
	}
	if _, key, signed := strings.Cut(source, "signed-by="); signed {
		if err := a.verify(key[:strings.IndexByte(key, ']')], suite, release); err != nil {
			return nil, err
		}
	}
	text, err := os.ReadFile(filepath.Join(suite, "main/binary-"+arch, "Packages"))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	if !strings.Contains(string(release), hex.EncodeToString(sum[:])) {
		return nil, errors.New("E: Hash Sum mismatch")
	}
	stanzas, err := deb.Parse(string(text))
	if err != nil {
		return nil, err
	}
	var all []deb.Package
	for _, s := range stanzas {
		p, err := deb.Read(s)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func (a *archive) verify(keyFile, suite string, release []byte) error {
	key, err := os.ReadFile(filepath.Join(a.root, keyFile))
	if err != nil {
		return err
	}
	signature, err := os.ReadFile(filepath.Join(suite, "Release.gpg"))
	if err != nil {
		return err
	}
	public, err := openpgp.ParsePublic(string(key))
	if err != nil {
		return err
	}
	if err := public.Verify(release, string(signature)); err != nil {
		return fmt.Errorf("E: The repository is not signed: %w", err)
	}
	return nil
}

// install simulates an installation over what the status file has.
func (a *archive) install(known []deb.Package, options map[string]string, wanted []string) (string, error) {
	text, err := os.ReadFile(filepath.Join(a.root, options["Dir::State::status"]))
	if err != nil {
		return "", err
	}
	stanzas, err := deb.Parse(string(text))
	if err != nil {
		return "", err
	}
	installed, chosen := map[string]bool{}, map[string]deb.Package{}
	for _, s := range stanzas {
		installed[s.Get("Package")] = true
	}
	var unknown, unmet []string
	var order []deb.Package
	var visit func(name string) bool
	visit = func(name string) bool {
		if _, done := chosen[name]; done || installed[name] {
			return true
		}
		p, ok := pick(known, name)
		if !ok {
			return false
		}
		chosen[name] = p
		for need := range strings.SplitSeq(p.Control.Get("Depends"), ", ") {
			fulfilled := need == ""
			for choice := range strings.SplitSeq(need, " | ") {
				fulfilled = fulfilled || installed[choice] || slices.Contains(wanted, choice)
			}
			first, _, _ := strings.Cut(need, " | ")
			if !fulfilled && !visit(first) {
				unmet = append(unmet, fmt.Sprintf(" %s : Depends: %s but it is not installable", name, first))
			}
		}
		order = append(order, p)
		return true
	}
	for _, name := range wanted {
		if strings.HasPrefix(name, "?") {
			for _, p := range known {
				if "?priority("+p.Control.Get("Priority")+")" == name {
					visit(p.Name)
				}
			}
		} else if !visit(name) {
			unknown = append(unknown, "E: Unable to locate package "+name)
		}
	}
	if len(unknown) > 0 {
		return "", errors.New(strings.Join(unknown, "\n"))
	}
	var lines []string
	for _, p := range order {
		if other := p.Control.Get("Conflicts"); other != "" && (installed[other] || chosen[other].Name != "") {
			unmet = append(unmet, fmt.Sprintf(" %s : Conflicts: %s", p.Name, other))
		}
		lines = append(lines, fmt.Sprintf("Inst %s (%s World:1/stable, World-Updates:1/stable [%s])", p.Name, p.Version, p.Architecture))
	}
	if len(unmet) > 0 {
		return "", errors.New("The following packages have unmet dependencies:\n" + strings.Join(unmet, "\n") + "\nE: Unable to correct problems, you have held broken packages.")
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// pick is the newest version of a package.
func pick(known []deb.Package, name string) (deb.Package, bool) {
	name, version, pinned := strings.Cut(name, "=")
	var best deb.Package
	for _, p := range known {
		if p.Name == name && (!pinned || p.Version == version) && (best.Name == "" || deb.Compare(p.Version, best.Version) > 0) {
			best = p
		}
	}
	return best, best.Name != ""
}

func (a *archive) show(known []deb.Package, wanted []string) (string, error) {
	var b strings.Builder
	for _, id := range wanted {
		p, ok := pick(known, id)
		if !ok {
			return "", fmt.Errorf("E: Version of '%s' was not found", id)
		}
		b.WriteString(p.Control.With("Filename", p.Filename).With("Size", fmt.Sprint(p.Size)).With("SHA256", p.SHA256).String() + "\n")
	}
	return b.String(), nil
}

func (a *archive) download(known []deb.Package, wanted []string, dir string) error {
	for _, id := range wanted {
		p, ok := pick(known, id)
		if !ok || p.Name == a.failDownload {
			return fmt.Errorf("E: Failed to fetch http://archive.example/%s  Connection timed out", p.FileName())
		}
		name := p.Name + "_" + strings.ReplaceAll(p.Version, ":", "%3a") + "_" + p.Architecture + ".deb"
		if err := os.WriteFile(filepath.Join(a.root, dir, name), []byte(data(p)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

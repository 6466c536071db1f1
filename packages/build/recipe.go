package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

var (
	knownArches  = []string{"amd64", "arm64"}
	knownFormats = []string{"deb", "rpm"}
)

// recipeFile is what a folder must hold to be a recipe.
const recipeFile = "package.yaml"

// recipe says how one package is made. It is read from a folder's package.yaml, and may be
// written by hand alone.
type recipe struct {
	dir string

	Name     string `yaml:"name"`     // of the package
	Version  string `yaml:"version"`  // upstream's, in Debian's notation; "git" for what git says of this repository
	Revision int    `yaml:"revision"` // counts changes of the recipe within one version, from 1
	Date     string `yaml:"date"`     // of the version, 2006-01-02: the time of every file in the package
	Summary  string `yaml:"summary"`
	About    string `yaml:"description"`
	Homepage string `yaml:"homepage"`
	Section  string `yaml:"section"` // of Debian's archive
	Licence  string `yaml:"licence"` // SPDX expression
	Source   string `yaml:"source"`  // where people find what is compiled

	Build     build                `yaml:"build"`
	Relations map[string]relations `yaml:"relations"` // to other packages, for each format
	Service   *service             `yaml:"service"`
	Files     []file               `yaml:"files"`
	Links     []link               `yaml:"links"`
	Output    []output             `yaml:"output"`

	upstream string // version of build.upstream in go.mod

	// Known when the build begins.
	version string    // Version, or what git says
	told    string    // what the program is told its version is
	mtime   time.Time // of every file
}

// build is what is compiled.
type build struct {
	Module    string            `yaml:"module"`    // folder of go.mod, from the recipe's; default the recipe's own
	Package   string            `yaml:"package"`   // import path of the command
	Upstream  string            `yaml:"upstream"`  // module whose version the package has; its LICENSE is the package's
	Binary    string            `yaml:"binary"`    // where it is installed
	Tags      []string          `yaml:"tags"`      // of the build; "cgo" turns cgo on, though there is no C compiler
	Variables map[string]string `yaml:"variables"` // set by the linker; ${version} stands for the version
}

// relations are package names with what a format allows beside them, such as versions.
type relations struct {
	Depends    []string `yaml:"depends"`
	Recommends []string `yaml:"recommends"`
	Suggests   []string `yaml:"suggests"`
	Conflicts  []string `yaml:"conflicts"`
	Replaces   []string `yaml:"replaces"` // in an .rpm these are obsoleted
	Provides   []string `yaml:"provides"`
}

// service is a unit with a system user of its own.
type service struct {
	Unit   string   `yaml:"unit"`   // its name; the file is among the recipe's files
	User   string   `yaml:"user"`   // made when the package is configured, never removed: it owns the data
	Groups []string `yaml:"groups"` // others that the user is in
	State  string   `yaml:"state"`  // folder of its data, which stays when the package is purged
}

// file is a file, or a folder with all below it, that is installed.
type file struct {
	From   string `yaml:"from"` // in the recipe's folder
	To     string `yaml:"to"`
	Mode   string `yaml:"mode"`   // octal; default 0644
	Config bool   `yaml:"config"` // people may change it: upgrades keep it, purge removes it
}

type link struct {
	To     string `yaml:"to"`
	Target string `yaml:"target"`
}

// output is what the compiled command says about itself, such as its manual page. The command
// is run on the machine that builds.
type output struct {
	Args   []string `yaml:"args"`
	To     string   `yaml:"to"`     // file for standard output, or folder when Folder is set
	Folder bool     `yaml:"folder"` // the command writes files into the folder named by its last argument
	Gzip   bool     `yaml:"gzip"`
	Format string   `yaml:"format"` // only in this format of package
}

// loadRecipes reads the recipes below dir, all of them or those in the named folders, in the
// order of their names.
func loadRecipes(dir string, names []string) ([]*recipe, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*", recipeFile))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no recipe in %s: a recipe is a folder with a %s", dir, recipeFile)
	}
	var known []string
	var out []*recipe
	var problems []error
	for _, path := range found {
		folder := filepath.Base(filepath.Dir(path))
		known = append(known, folder)
		if len(names) > 0 && !slices.Contains(names, folder) {
			continue
		}
		r, err := readRecipe(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		out = append(out, r)
	}
	if err := checkWords("recipe", names, known); err != nil {
		return nil, err
	}
	return out, errors.Join(problems...)
}

func readRecipe(path string) (*recipe, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &recipe{dir: filepath.Dir(path), Revision: 1, Section: "misc"}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

var (
	nameForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	versionForm = regexp.MustCompile(`^[0-9][A-Za-z0-9.+~]*$`)
)

// check tells all that is wrong with a recipe.
func (r *recipe) check() error {
	var wrong []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	want(nameForm.MatchString(r.Name), "name %q: lower-case letters, digits, plus, minus and dots are needed", r.Name)
	want(r.Version == versionFromGit || versionForm.MatchString(r.Version), "version %q: it begins with a digit and has no hyphen, or is %q", r.Version, versionFromGit)
	if r.Version != versionFromGit {
		want(r.Build.Upstream != "", "build.upstream is missing")
		want(r.Source != "", "source is missing")
		want(r.Homepage != "", "homepage is missing")
		if err := r.readUpstream(); err != nil {
			wrong = append(wrong, err)
		}
	}
	want(r.Revision > 0, "revision %d: it counts from 1", r.Revision)
	for key, value := range map[string]string{
		"summary": r.Summary, "description": r.About, "licence": r.Licence,
		"build.package": r.Build.Package, "build.binary": r.Build.Binary,
	} {
		want(value != "", "%s is missing", key)
	}
	if r.Version != versionFromGit {
		date, err := time.Parse(time.DateOnly, r.Date)
		want(err == nil, "date %q: the day of the version is needed, such as 2026-01-31", r.Date)
		r.mtime = date
	}
	for format := range r.Relations {
		want(slices.Contains(knownFormats, format), "relations: there is no format %q", format)
	}
	for _, f := range r.Files {
		_, err := os.Stat(filepath.Join(r.dir, f.From))
		want(!errors.Is(err, fs.ErrNotExist), "files: there is no %s", f.From)
		_, err = f.mode()
		want(err == nil, "files: mode %q of %s is not octal", f.Mode, f.From)
	}
	for _, path := range r.places() {
		want(filepath.IsAbs(path) && filepath.Clean(path) == path, "%q is not a clean absolute path", path)
	}
	if r.Service != nil {
		want(r.Service.User != "" && r.Service.State != "", "service: user and state are needed")
		want(slices.ContainsFunc(r.Files, func(f file) bool { return filepath.Base(f.To) == r.Service.Unit }),
			"service: the unit %q is not among the files", r.Service.Unit)
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(wrong...)
}

// readUpstream reads which version of the upstream module go.mod has, and refuses a recipe with
// another one. A module without a release has a pseudo-version, which ends with the commit that
// the recipe must name.
func (r *recipe) readUpstream() error {
	file := filepath.Join(r.moduleDir(), "go.mod")
	var err error
	if r.upstream, err = requiredVersion(file, r.Build.Upstream); err != nil {
		return err
	}
	commit := r.upstream[strings.LastIndex(r.upstream, "-")+1:]
	if r.upstream != "v"+r.Version && !(len(commit) == 12 && strings.HasSuffix(r.Version, commit)) {
		return fmt.Errorf("version %s is not that of %s in %s, %s", r.Version, r.Build.Upstream, file, r.upstream)
	}
	return nil
}

// requiredVersion is the version of a module that a go.mod requires.
func requiredVersion(file, module string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	line := regexp.MustCompile(`(?m)^\s*(?:require\s+)?` + regexp.QuoteMeta(module) + `\s+(v\S+)`)
	m := line.FindSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("%s does not require %s", file, module)
	}
	return string(m[1]), nil
}

// places are all paths that the recipe installs something at.
func (r *recipe) places() []string {
	out := []string{r.Build.Binary}
	for _, f := range r.Files {
		out = append(out, f.To)
	}
	for _, l := range r.Links {
		out = append(out, l.To)
	}
	for _, o := range r.Output {
		out = append(out, o.To)
	}
	if r.Service != nil {
		out = append(out, r.Service.State)
	}
	return out
}

func (f file) mode() (fs.FileMode, error) {
	if f.Mode == "" {
		return 0o644, nil
	}
	mode, err := strconv.ParseUint(f.Mode, 8, 12)
	return fs.FileMode(mode), err
}

// moduleDir is the folder of the go.mod that says what is compiled.
func (r *recipe) moduleDir() string { return filepath.Join(r.dir, r.Build.Module) }

// ours tells whether the recipe packs this repository itself.
func (r *recipe) ours() bool { return r.Version == versionFromGit }

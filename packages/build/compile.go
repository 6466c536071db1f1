package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// program is a compiled command and what is to be said of it.
type program struct {
	binary  string // path of the executable
	licence string // path of the licence of what it is
	notices string // path of the licences of what it is made of
}

// Names of the files in a cached program's folder.
const (
	binaryName  = "program"
	licenceName = "LICENSE"
	noticesName = "NOTICES"
)

func programIn(dir string) program {
	return program{
		binary:  filepath.Join(dir, binaryName),
		licence: filepath.Join(dir, licenceName),
		notices: filepath.Join(dir, noticesName),
	}
}

// compile gives the program of a recipe, compiled now or earlier.
func (b *builder) compile(ctx context.Context, r *recipe, arch string) (program, error) {
	g := r.goCommand(arch)
	if r.ours() { // changes with every edit, and Go's own cache makes it quick
		dir, err := os.MkdirTemp(b.work, "program-")
		if err != nil {
			return program{}, err
		}
		return programIn(dir), b.compileInto(ctx, r, g, programIn(dir))
	}
	name, err := b.programName(ctx, r, g)
	if err != nil {
		return program{}, err
	}
	dir, found, err := b.cache.entry(ctx, r.subject(arch), name, func(temp string) error {
		return b.compileInto(ctx, r, g, programIn(temp))
	})
	if err == nil && found {
		b.say("%s: compiled before", r.subject(arch))
	}
	return programIn(dir), err
}

// goCommand is the go tool as the recipe's program is built with it.
func (r *recipe) goCommand(arch string) goCommand {
	return goCommand{dir: r.moduleDir(), arch: arch, tags: r.Build.Tags}
}

// compiled tells whether the program of a recipe is in the cache.
func (b *builder) compiled(ctx context.Context, r *recipe, arch string) (bool, error) {
	name, err := b.programName(ctx, r, r.goCommand(arch))
	return b.cache.has(r.subject(arch), name), err
}

// subject is what the cache calls the recipe's package for an architecture.
func (r *recipe) subject(arch string) string { return r.Name + "-" + arch }

// programName names the program by all that it is made of. Modules count by their checksums in
// go.sum.
func (b *builder) programName(ctx context.Context, r *recipe, g goCommand) (string, error) {
	goVersion, err := g.output(ctx, "env", "GOVERSION")
	if err != nil {
		return "", err
	}
	parts := []string{strings.TrimSpace(goVersion), g.arch, r.Build.Package, r.Build.Upstream, r.tags(), r.linkerFlags()}
	parts = append(parts, g.settled()...)
	sources, err := r.sources()
	if err != nil {
		return "", err
	}
	for _, path := range sources {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		name, err := filepath.Rel(g.dir, path)
		if err != nil {
			return "", err
		}
		parts = append(parts, name, string(text))
	}
	return "program-" + key(parts...), nil
}

// sources are the files that determine the program, besides the modules it is made of.
func (r *recipe) sources() ([]string, error) {
	var out []string
	err := filepath.WalkDir(r.moduleDir(), func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		if err == nil && (name == "go.mod" || name == "go.sum" || strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")) {
			out = append(out, path)
		}
		return err
	})
	return out, err
}

// tags are the build's, as the go tool takes them. It knows by itself whether cgo is on.
func (r *recipe) tags() string {
	return strings.Join(slices.DeleteFunc(slices.Clone(r.Build.Tags), func(tag string) bool { return tag == "cgo" }), ",")
}

// linkerFlags leave out what debuggers need, and set what the command says of its version.
func (r *recipe) linkerFlags() string {
	flags := []string{"-s", "-w", "-buildid="}
	for _, name := range slices.Sorted(maps.Keys(r.Build.Variables)) {
		value := strings.ReplaceAll(r.Build.Variables[name], "${version}", r.told)
		flags = append(flags, "-X", name+"="+value)
	}
	return strings.Join(flags, " ")
}

func (b *builder) compileInto(ctx context.Context, r *recipe, g goCommand, p program) error {
	began := time.Now()
	b.say("%s: fetching its Go modules", r.subject(g.arch))
	mods, err := listModules(ctx, g, r)
	if err != nil {
		return b.cannotFetch(ctx, r, g, err)
	}
	fetched := time.Now()
	b.say("%s: %d modules in %s; compiling, which takes minutes the first time", r.subject(g.arch), len(mods), since(began))
	_, err = g.output(ctx, "build", "-trimpath", "-buildvcs=false", "-tags", r.tags(), "-ldflags", r.linkerFlags(), "-o", p.binary, r.Build.Package)
	if err != nil {
		return fmt.Errorf("compile %s: %w", r.Build.Package, err)
	}
	b.say("%s: compiled in %s", r.subject(g.arch), since(fetched))
	return r.writeLicences(ctx, g, mods, p)
}

// cannotFetch says what to do about modules that do not come.
func (b *builder) cannotFetch(ctx context.Context, r *recipe, g goCommand, err error) error {
	proxy, problem := g.output(ctx, "env", "GOPROXY")
	if problem != nil {
		return problem
	}
	return fmt.Errorf("its Go modules cannot be fetched: %w\n"+
		"They come through GOPROXY (%s): let this machine reach it, or set GOPROXY to one it reaches, or copy the folder %s from a machine that has built it. Nothing but this package needs them",
		err, strings.TrimSpace(proxy), filepath.Join(b.cache.dir, r.subject(g.arch)))
}

// module is a Go module that is compiled in.
type module struct {
	Path    string
	Version string
	Dir     string
	Main    bool
	Replace *module
}

// listModules gives the modules that the command is made of, by path, less the one it is compiled
// in. They are fetched when they are not there.
func listModules(ctx context.Context, g goCommand, r *recipe) ([]module, error) {
	out, err := g.output(ctx, "list", "-deps", "-tags", r.tags(), "-json=Module", r.Build.Package)
	if err != nil {
		return nil, err
	}
	found := make(map[string]module)
	for decoder := json.NewDecoder(strings.NewReader(out)); ; {
		var pkg struct{ Module *module }
		if err := decoder.Decode(&pkg); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read what go list says: %w", err)
		}
		if pkg.Module != nil && !pkg.Module.Main {
			found[pkg.Module.Path] = *pkg.Module
		}
	}
	var mods []module
	for _, path := range slices.Sorted(maps.Keys(found)) {
		mods = append(mods, found[path])
	}
	return mods, nil
}

// Command build makes the packages that Debian lacks, and pigsty's own, from the recipes in
// packages/, into .deb and .rpm files:
//
//	go run ./packages/build                      every recipe, for this machine's architecture
//	go run ./packages/build -arch amd64,arm64 loki
//
// What is compiled and packed stays in a cache, so that a second run has nothing to do. See
// docs/packages.md.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends it at once
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "packages:", err)
		os.Exit(1)
	}
}

// builder is one run: where it reads, keeps and puts things, and whom it tells.
type builder struct {
	root    string // of the repository
	cache   cache
	out     string // folder of the packages and their manifest
	formats []string
	version string // of pigsty itself, as git describes it
	work    string // temporary folder of this run
	say     func(format string, args ...any)
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	recipes := flags.String("recipes", "packages", "folder of the recipes, below the top of the repository")
	out := flags.String("out", "bin/packages", "folder for the packages and their manifest, below the top of the repository")
	kept := flags.String("cache", "", "folder where what was built is kept (default "+systemCache+", for others than root one of their own)")
	arches := flags.String("arch", runtime.GOARCH, "architectures, separated by commas: amd64, arm64")
	formats := flags.String("format", "deb,rpm", "formats, separated by commas")
	version := flags.String("version", "", "version of pigsty itself (default: git describe)")
	lacking := flags.Bool("lacking", false, "build nothing: name those recipes whose program is not in the cache, a line each")
	if err := flags.Parse(args); err != nil {
		return err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	b := &builder{
		root: root, cache: cache{dir: cmp.Or(*kept, defaultCache())}, out: below(root, *out),
		formats: strings.Split(*formats, ","), version: *version,
		say: func(format string, args ...any) { fmt.Fprintf(stdout, format+"\n", args...) },
	}
	b.cache.say = b.say
	if err := checkWords("format", b.formats, knownFormats); err != nil {
		return err
	}
	wanted := strings.Split(*arches, ",")
	if err := checkWords("architecture", wanted, knownArches); err != nil {
		return err
	}
	if b.work, err = os.MkdirTemp("", "pigsty-packages-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.work)
	list, err := loadRecipes(below(root, *recipes), flags.Args())
	if err != nil {
		return err
	}
	if *lacking {
		return b.lacking(ctx, list, wanted)
	}
	return b.all(ctx, list, wanted)
}

// lacking names the recipes that take long to build: those whose program is to be compiled first.
func (b *builder) lacking(ctx context.Context, recipes []*recipe, arches []string) error {
	for _, r := range recipes {
		if r.ours() {
			continue
		}
		if err := b.settle(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", r.Name, err)
		}
		for _, arch := range arches {
			there, err := b.compiled(ctx, r, arch)
			if err != nil {
				return fmt.Errorf("%s for %s: %w", r.Name, arch, err)
			}
			if !there {
				b.say("%s", r.Name)
				break
			}
		}
	}
	return nil
}

// all builds every recipe for every architecture. One that cannot be built does not keep the
// others from it.
func (b *builder) all(ctx context.Context, recipes []*recipe, arches []string) error {
	began := time.Now()
	var failed []error
	var made []artifact
	for _, r := range recipes {
		if err := b.settle(ctx, r); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", r.Name, err))
			continue
		}
		for _, arch := range arches {
			files, err := b.one(ctx, r, arch)
			if ctx.Err() != nil {
				return errors.New("interrupted; what was finished is in the cache")
			}
			if err != nil {
				failed = append(failed, fmt.Errorf("%s for %s: %w", r.Name, arch, err))
				continue
			}
			made = append(made, files...)
		}
	}
	if len(made) > 0 {
		if err := publish(b.out, made); err != nil {
			return errors.Join(append(failed, err)...)
		}
		b.say("%d packages in %s, %s", len(made), b.out, since(began))
	}
	if err := b.cache.expire(); err != nil {
		b.say("old entries of the cache stay: %v", err)
	}
	return errors.Join(failed...)
}

// one builds one recipe for one architecture, in every format.
func (b *builder) one(ctx context.Context, r *recipe, arch string) ([]artifact, error) {
	program, err := b.compile(ctx, r, arch)
	if err != nil {
		return nil, err
	}
	stage, err := os.MkdirTemp(b.work, "stage-")
	if err != nil {
		return nil, err
	}
	contents, err := r.contents(program, stage)
	if err != nil {
		return nil, err
	}
	said, err := b.outputs(ctx, r, program, arch)
	if err != nil {
		return nil, err
	}
	contents = append(contents, said...)
	var out []artifact
	for _, format := range b.formats {
		a, err := b.pack(ctx, r, arch, format, contents, stage)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// moduleRoot is the top of the repository that the working folder is in.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := goCommand{dir: "."}.output(ctx, "env", "GOMOD")
	if err != nil {
		return "", err
	}
	file := strings.TrimSpace(out)
	if filepath.Base(file) != "go.mod" {
		return "", errors.New("run this inside the repository: there is no go.mod above the working folder")
	}
	return filepath.Dir(file), nil
}

func below(root, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(root, path)
}

func checkWords(what string, given, known []string) error {
	for _, word := range given {
		if !slices.Contains(known, word) {
			return fmt.Errorf("unknown %s %q: it is one of %s", what, word, strings.Join(known, ", "))
		}
	}
	return nil
}

func since(began time.Time) time.Duration { return time.Since(began).Round(100 * time.Millisecond) }

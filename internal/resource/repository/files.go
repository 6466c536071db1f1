package repository

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"

	"pigsty/internal/aptrepo"
	"pigsty/internal/deb"
	"pigsty/internal/resource"
)

// spool holds packages that came by hand until they are in the pool.
const spool = cacheDir + "/incoming"

// aptHelper is apt's own program for fetching one file, with the settings that apt has.
const aptHelper = "/usr/lib/apt/apt-helper"

// receive gets a supply of a step into a file, and makes sure that it is the one that is meant.
func receive(ctx context.Context, h *resource.Host, r resource.Resource, f File, to string) error {
	if err := os.MkdirAll(h.Path(path.Dir(to)), 0o700); err != nil {
		return err
	}
	file, err := os.Create(h.Path(to))
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(file, sum), h.Supply(ctx, r, f.Name)); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != f.SHA256 {
		return fmt.Errorf("%s has changed while it was read: its SHA256 is %s, and was %s", f.Name, got, f.SHA256)
	}
	return file.Close()
}

// takeFile enters a package's file into the manifest and puts it into the pool.
func (b *build) takeFile(ctx context.Context, file, sum string, size int64, origin string) error {
	text, err := b.h.Exec.Run(ctx, resource.Command{Argv: []string{"dpkg-deb", "--field", b.h.Path(file)}, Env: aptEnv})
	if err != nil {
		return fmt.Errorf("it is no package of Debian's form: %w", err)
	}
	stanzas, err := deb.Parse(string(text))
	if err == nil && len(stanzas) != 1 {
		err = errors.New("its control file is empty")
	}
	if err != nil {
		return err
	}
	p, err := deb.Read(stanzas[0])
	if err != nil {
		return err
	}
	p.Size, p.SHA256 = size, sum
	var entry aptrepo.Package
	for i := range b.r.Suites {
		s := &b.r.Suites[i]
		if p.Architecture != "all" && p.Architecture != s.Arch {
			continue
		}
		made := aptrepo.New(p, s.Codename, origin)
		made.Suites = append(made.Suites, entry.Suites...)
		entry = made
	}
	if entry.Name == "" {
		return fmt.Errorf("it is for %s, which no node of the inventory is", p.Architecture)
	}
	slices.Sort(entry.Suites)
	entry.Suites = slices.Compact(entry.Suites)
	if err := b.want.Add(entry); err != nil {
		return err
	}
	b.added = true
	return putInPool(b.h, b.r.Path, b.want.Find(entry.ID()), file)
}

// takeDownload fetches a package by its address.
func (b *build) takeDownload(ctx context.Context, d Download) error {
	if err := os.MkdirAll(b.h.Path(spool), 0o700); err != nil {
		return err
	}
	file := path.Join(spool, digest(d.URL)+".deb")
	argv := []string{aptHelper, "-o", "APT::Sandbox::User=root", "download-file", d.URL, file}
	if d.SHA256 != "" {
		argv = append(argv, "SHA256:"+d.SHA256)
	}
	if _, err := b.h.Exec.Run(ctx, resource.Command{Argv: argv, Env: aptEnv}); err != nil {
		return fmt.Errorf("fetch: %w", resource.ExplainApt(err))
	}
	sum, size, err := sumFile(b.h.Path(file))
	if err != nil {
		return err
	}
	return b.takeFile(ctx, file, sum, size, d.URL)
}

// sumFile is the SHA256 of a file, and its size.
func sumFile(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	hash := sha256.New()
	size, err = io.Copy(hash, f)
	return hex.EncodeToString(hash.Sum(nil)), size, err
}

// removeFolder removes what is in a folder and itself.
func removeFolder(h *resource.Host, dir string) error { return os.RemoveAll(h.Path(dir)) }

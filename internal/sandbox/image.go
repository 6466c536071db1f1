package sandbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A node is what a plain Debian server installation is, less what only hardware needs. There is no
// Python in it: a node must need none.
var basePackages = []string{
	"systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "iproute2", "ca-certificates",
	"procps", "cron", "curl", "tzdata",
}

// imageFile is a file of the base image.
type imageFile struct {
	path, text string
	mode       fs.FileMode
}

// recipe is all that determines a base image. Its hash is part of the image's name, so that any
// change here makes a new image.
type recipe struct {
	Release    string
	Packages   []string
	Archives   []archive
	AptOptions []string
	Files      []imageFile
	Commands   []string // run in the image by a shell, one after another
}

func newRecipe(release string, archives []archive, aptOptions []string) recipe {
	var sources strings.Builder
	for _, a := range archives {
		fmt.Fprintf(&sources, "Types: deb\nURIs: %s\nSuites: %s\nComponents: %s\nSigned-By: %s\n\n",
			a.uri, a.suite, strings.Join(a.components, " "), debianKeyring)
	}
	sshd := sshdConfig
	if release != "bookworm" { // newer servers lock out who only looks whether they answer
		sshd += "PerSourcePenalties no\n"
	}
	return recipe{
		Release: release, Packages: basePackages, Archives: archives, AptOptions: aptOptions,
		Files: []imageFile{
			{"etc/apt/sources.list.d/debian.sources", sources.String(), 0o644},
			{"etc/sudoers.d/debian", "debian ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440},
			{"etc/ssh/sshd_config.d/10-sandbox.conf", sshd, 0o644},
			// Forwarding would let a node answer for addresses that are no longer its own.
			{"etc/sysctl.d/10-sandbox.conf", "net.ipv4.ip_forward = 0\n", 0o644},
			{"etc/machine-id", "", 0o444},
		},
		Commands: []string{
			"useradd --create-home --uid 1000 --shell /bin/bash debian",
			"systemctl enable systemd-networkd.service ssh.service",
			// Without these a node is not ready when SSH answers, or works for itself behind a test's back.
			"systemctl mask systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer " +
				"systemd-firstboot.service console-getty.service",
			"ln -sf /dev/null /etc/tmpfiles.d/systemd-nologin.conf",
			"rm -f /etc/ssh/ssh_host_* /etc/apt/sources.list /etc/hostname /etc/resolv.conf",
		},
	}
}

const sshdConfig = `HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
PermitRootLogin prohibit-password
UseDNS no
GSSAPIAuthentication no
MaxSessions 100
MaxStartups 100
`

// hash names content: equal parts give equal names.
func hash(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%+v\x00", p)
	}
	return fmt.Sprintf("%x", h.Sum(nil))[:12]
}

// buildImage returns the folder of the base image, made first when the cache does not have it.
func buildImage(ctx context.Context, c *Config) (string, error) {
	archives, err := hostArchives("/", c.Release)
	if err != nil {
		return "", err
	}
	options, err := hostAptOptions(ctx)
	if err != nil {
		return "", err
	}
	r := newRecipe(c.Release, archives, options)
	dir := filepath.Join(c.Cache, "base-"+c.Release+"-"+hash(r))
	return dir, cached(ctx, c, dir, func(temp string) error {
		return withPrivateMounts(func() error { return r.build(ctx, temp) })
	})
}

// cached makes dir once: build fills a temporary folder, which is renamed when it is complete.
// Whoever wants the same folder meanwhile waits.
func cached(ctx context.Context, c *Config, dir string, build func(temp string) error) error {
	if exists(dir) {
		return nil
	}
	unlock, err := lock(ctx, dir+".lock", unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer unlock()
	defer os.Remove(dir + ".lock")
	if exists(dir) {
		return nil
	}
	began, name := time.Now(), filepath.Base(dir)
	c.say("building %s, once for all sandboxes", name)
	temp := dir + ".building"
	if err := removeTree(temp); err != nil { // left by a build that was interrupted
		return fmt.Errorf("clear an interrupted build: %w", err)
	}
	if err := build(temp); err != nil {
		return fmt.Errorf("build %s: %w", name, errors.Join(err, os.RemoveAll(temp)))
	}
	if err := os.Rename(temp, dir); err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	c.say("built %s in %s", name, time.Since(began).Round(100*time.Millisecond))
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// build bootstraps the image into a folder.
func (r recipe) build(ctx context.Context, dir string) error {
	argv := []string{"mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--include=" + strings.Join(r.Packages, ",")}
	for _, option := range r.AptOptions { // kept in the image by mmdebstrap
		argv = append(argv, "--aptopt="+option)
	}
	for _, command := range r.Commands {
		argv = append(argv, `--customize-hook=chroot "$1" sh -c `+shellQuote(command))
	}
	argv = append(argv, r.Release, dir)
	for _, a := range r.Archives {
		argv = append(argv, a.line())
	}
	if err := runSealed(ctx, "/proc", argv...); err != nil {
		return err
	}
	for _, f := range r.Files {
		path := filepath.Join(dir, f.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := writeFile(path, []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	return os.Chmod(dir, 0o755)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// system is a Debian with the packages that are measured.
type system struct {
	suite    string
	packages []string
}

// The exporters as Debian has them, and the server. pg_exporter is not in a release yet.
var (
	trixie = system{"trixie", []string{"postgresql-17", "prometheus-postgres-exporter"}}
	sid    = system{"sid", []string{"pg-exporter"}}
)

// ensure gives the folder of the system, made first when the cache does not have it.
func (s system) ensure(ctx context.Context, cache string) (string, error) {
	dir := filepath.Join(cache, s.suite+"-"+strings.Join(s.packages, "-"))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	say("making Debian %s with %s, once", s.suite, strings.Join(s.packages, ", "))
	mirror, err := configured(ctx, "apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)", "Created-By: Packages")
	if err != nil {
		return "", err
	}
	argv := []string{"--mode=root", "--variant=minbase", "--include=ca-certificates," + strings.Join(s.packages, ",")}
	options, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return "", fmt.Errorf("apt-config dump: %w", err)
	}
	for line := range strings.Lines(string(options)) {
		if strings.HasPrefix(line, "Acquire::Check-") || strings.HasPrefix(line, "Acquire::http") {
			argv = append(argv, "--aptopt="+strings.TrimSpace(line))
		}
	}
	argv = append(argv, "--essential-hook=mkdir -p $1/etc/postgresql-common && echo create_main_cluster = false > $1/etc/postgresql-common/createcluster.conf")
	temp := dir + ".building"
	if err := errors.Join(os.RemoveAll(temp), os.MkdirAll(cache, 0o755)); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "mmdebstrap", append(argv, s.suite, temp, mirror)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mmdebstrap %s: %w\n%s", s.suite, err, out)
	}
	return dir, os.Rename(temp, dir)
}

// configured gives the mirror of Debian that this machine uses itself.
func configured(ctx context.Context, argv ...string) (string, error) {
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == "Debian" && !strings.Contains(f[1], "-") {
			return f[2], nil
		}
	}
	return "", errors.New("apt knows no mirror of Debian's: run apt-get update")
}

// version is that of a package in a system.
func version(ctx context.Context, root, name string) string {
	out, err := exec.CommandContext(ctx, "chroot", root, "dpkg-query", "-W", "-f", "${Package} ${Version}", name).Output()
	if err != nil {
		return name
	}
	return string(out)
}

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed postgres_exporter.yml
var postgresExporterFamilies []byte

// lab is a server, the exporters, and their configurations.
type lab struct {
	options
	dir         string // files of ours
	binary      string // our exporter
	trixie, sid string // folders of the Debian systems
	database    *database
	idle        float64 // processor-seconds that the server uses each second by itself
}

// files that the exporters are given. The one of pg_exporter lies in its system.
const (
	theirFile   = "/etc/pg_exporter/pg_exporter.yml"
	theirNarrow = "/tmp/narrow.yml"
)

func openLab(ctx context.Context, o options) (l *lab, err error) {
	l = &lab{options: o}
	if l.trixie, err = trixie.ensure(ctx, o.cache); err != nil {
		return nil, err
	}
	if l.sid, err = sid.ensure(ctx, o.cache); err != nil {
		return nil, err
	}
	if l.dir, err = os.MkdirTemp("", "pigsty-exporter-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if err := os.WriteFile(l.file("families.yml"), postgresExporterFamilies, 0o644); err != nil {
		return nil, err
	}
	l.binary = l.file("pg_exporter") // the name makes it the command
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", l.binary, "./cmd/pigsty")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build pigsty, from the top of the repository: %w\n%s", err, out)
	}
	l.database, err = startDatabase(ctx, l.trixie, filepath.Base(l.dir))
	return l, err
}

func (l *lab) file(name string) string { return filepath.Join(l.dir, name) }

// close removes all that was made but the Debian systems.
func (l *lab) close() error {
	var failed error
	if l.database != nil {
		failed = l.database.remove()
	}
	return errors.Join(failed, os.RemoveAll(l.dir), os.RemoveAll(filepath.Join(l.sid, theirNarrow)))
}

func (l *lab) versions(ctx context.Context) []string {
	return []string{
		version(ctx, l.trixie, "postgresql-17"), version(ctx, l.trixie, "prometheus-postgres-exporter"), version(ctx, l.sid, "pg-exporter"),
	}
}

// The exporters in one configuration each. Ours and pg_exporter look into all databases by
// themselves; prometheus-postgres-exporter looks into the one it is told.
func (l *lab) ours(database string, args ...string) *contender {
	return &contender{name: "ours", argv: append([]string{l.binary}, args...), env: []string{"PG_EXPORTER_URL=" + l.database.url(database)}}
}

func (l *lab) pgExporter(config string, args ...string) *contender {
	argv := append([]string{"chroot", l.sid, "/usr/bin/pg_exporter", "--config=" + config}, args...)
	return &contender{name: "pg_exporter", argv: argv, env: []string{"PG_EXPORTER_URL=" + l.database.url("postgres")}}
}

func (l *lab) postgresExporter(args ...string) *contender {
	argv := append([]string{"chroot", l.trixie, "/usr/bin/prometheus-postgres-exporter"}, args...)
	return &contender{name: "prometheus-postgres-exporter", argv: argv, env: []string{"DATA_SOURCE_NAME=" + l.database.url("bench")}}
}

// What is compared.
const (
	asTheyAre = "as each comes"
	likePge   = "the metrics that ours and pg_exporter have both"
	likePpe   = "the metrics of prometheus-postgres-exporter"
	sameFile  = "one file of collectors, pg_exporter's"
)

// measure runs all comparisons on what tables there are.
func (l *lab) measure(ctx context.Context, tables int) (found []*finding, err error) {
	if err := l.narrowBoth(ctx); err != nil {
		return nil, err
	}
	fast := turn{warm: 1, count: l.scrapes, pace: l.pace, patience: patience * time.Second}
	asIs := turn{warm: 1, count: l.beats, pace: l.beat, patience: 10 * time.Second}
	for _, c := range []struct {
		group  string
		rounds int
		turn
		contenders []*contender
	}{
		{likePge, l.rounds, fast, []*contender{
			l.ours("postgres", "--config=builtin,"+l.file("narrow.yml"), "--disable-cache"),
			l.pgExporter(theirNarrow, "--disable-cache"),
		}},
		{likePpe, l.rounds, fast, []*contender{
			l.ours("bench", "--config="+l.file("families.yml"), "--auto-discovery=false"),
			l.postgresExporter("--disable-settings-metrics"),
		}},
		{sameFile, l.rounds, fast, []*contender{
			l.ours("postgres", "--config="+filepath.Join(l.sid, theirFile), "--disable-cache"),
			l.pgExporter(theirFile, "--disable-cache"),
		}},
		{asTheyAre, l.turns, asIs, []*contender{l.ours("postgres"), l.pgExporter(theirFile), l.postgresExporter()}},
	} {
		more, err := l.compare(ctx, c.group, tables, c.rounds, c.turn, c.contenders...)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// narrowBoth writes configurations in which ours and pg_exporter gather what both have, as often:
// a metric that one has for more things than the other is left out, unless how many there are of it
// is limited by both.
func (l *lab) narrowBoth(ctx context.Context) error {
	ourFiles, err := readOurs()
	if err != nil {
		return err
	}
	theirFiles, err := readTheirs(filepath.Join(l.sid, theirFile))
	if err != nil {
		return err
	}
	ours, err := l.once(ctx, l.ours("postgres"))
	if err != nil {
		return err
	}
	theirs, err := l.once(ctx, l.pgExporter(theirFile))
	if err != nil {
		return err
	}
	limits := theirFiles.limits()
	wanted := map[string]bool{}
	for name, n := range ours {
		limited := false
		for prefix := range limits {
			limited = limited || strings.HasPrefix(name, prefix+"_")
		}
		wanted[name] = theirs[name] == n || limited && theirs[name] > 0
	}
	return errors.Join(
		ourFiles.narrow(wanted).changes(ourFiles, limits).write(l.file("narrow.yml")),
		theirFiles.narrow(wanted).write(filepath.Join(l.sid, theirNarrow)))
}

// once asks an exporter for its metrics, and gives how many series each has.
func (l *lab) once(ctx context.Context, c *contender) (map[string]int, error) {
	if err := c.start(ctx, 0); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	_, packed, err := c.scrape(ctx, patience*time.Second)
	if err := errors.Join(err, c.stop()); err != nil {
		return nil, err
	}
	text, err := unpack(packed)
	if err != nil {
		return nil, err
	}
	series, _ := parse(text)
	return names(series), nil
}

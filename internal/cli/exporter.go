package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pigsty/internal/exporter"
)

const exporterName = "pg_exporter"

// Arguments gives the arguments of a command line whose first word is the program's name. A program
// that is called pg_exporter is the command of that name, and understands two spellings that pigsty
// has another use for or none: -i for the databases to look into, and --no-FLAG.
func Arguments(argv []string) []string {
	if len(argv) == 0 || filepath.Base(argv[0]) != exporterName {
		return argv[min(1, len(argv)):]
	}
	out := []string{exporterName}
	for _, arg := range argv[1:] {
		if name, negated := strings.CutPrefix(arg, "--no-"); negated {
			arg = "--" + name + "=false"
		} else if rest, short := strings.CutPrefix(arg, "-i"); short {
			arg = "--include-database"
			if rest != "" {
				arg += "=" + strings.TrimPrefix(rest, "=")
			}
		}
		out = append(out, arg)
	}
	return out
}

// exporterFlags are what pg_exporter's command line says besides the options themselves.
type exporterFlags struct {
	exporter.Options
	dryRun, explain     bool
	logLevel, logFormat string
	connectTimeout      millis
}

// exporterEnv are the variables that stand for flags which are not given.
var exporterEnv = map[string]string{
	"config": "PG_EXPORTER_CONFIG", "label": "PG_EXPORTER_LABEL", "tag": "PG_EXPORTER_TAG",
	"disable-cache": "PG_EXPORTER_DISABLE_CACHE", "disable-intro": "PG_EXPORTER_DISABLE_INTRO", "auto-discovery": "PG_EXPORTER_AUTO_DISCOVERY",
	"exclude-database": "PG_EXPORTER_EXCLUDE_DATABASE", "include-database": "PG_EXPORTER_INCLUDE_DATABASE",
	"namespace": "PG_EXPORTER_NAMESPACE", "fail-fast": "PG_EXPORTER_FAIL_FAST",
	"connect-timeout": "PG_EXPORTER_CONNECT_TIMEOUT", "web.telemetry-path": "PG_EXPORTER_TELEMETRY_PATH",
	"web.listen-address": "PG_EXPORTER_LISTEN_ADDRESS", "pgbouncer.listen-address": "PG_EXPORTER_PGBOUNCER_LISTEN_ADDRESS",
	"web.config.file": "PG_EXPORTER_WEB_CONFIG_FILE", "url-file": "PG_EXPORTER_URL_FILE",
	"pgbouncer.url-file": "PG_EXPORTER_PGBOUNCER_URL_FILE", "max-connections": "PG_EXPORTER_MAX_CONNECTIONS",
	"max-series": "PG_EXPORTER_MAX_SERIES", "scrape-timeout": "PG_EXPORTER_SCRAPE_TIMEOUT",
	"log.level": "PG_EXPORTER_LOG_LEVEL", "log.format": "PG_EXPORTER_LOG_FORMAT",
}

const exporterLong = `Show Prometheus what happens in a PostgreSQL server and the pgBouncer beside it.

The same as the program called pg_exporter: a link of that name to this binary works as well. Each
flag can be given by an environment variable, PG_EXPORTER_ and its name, such as
PG_EXPORTER_AUTO_DISCOVERY; a flag wins. Where the servers are is said by PG_EXPORTER_URL and
PG_EXPORTER_PGBOUNCER_URL, which may hold a password, or by a file; a password is also looked for in
a pass file (PGPASSFILE, ~/.pgpass). SIGHUP and /reload load the collectors anew.`

// newExporterCommand is the exporter for PostgreSQL and pgBouncer.
func newExporterCommand(a *app) *cobra.Command {
	f := &exporterFlags{}
	cmd := &cobra.Command{
		Use:   exporterName,
		Short: "Show Prometheus what happens in PostgreSQL and pgBouncer",
		Long:  exporterLong,
		Example: `  PG_EXPORTER_URL='postgresql://monitor@/postgres?host=/var/run/postgresql' pg_exporter
  pg_exporter --config builtin --config /etc/pg_exporter --dry-run
  pg_exporter --explain`,
		Version: versionString(),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.complete(cmd.Flags()); err != nil {
				return err
			}
			return f.run(cmd.Context(), a.out, a.err)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func (f *exporterFlags) register(flags *pflag.FlagSet) {
	flags.StringVarP(&f.URL, "url", "u", "", "`URL` of PostgreSQL, or of a pgBouncer's console (database pgbouncer), without a password; none for none (default "+exporter.DefaultURL+")")
	flags.StringVar(&f.URLFile, "url-file", "", "read that URL from a `file` of mode 0600")
	flags.StringVar(&f.PgbouncerURL, "pgbouncer.url", "", "`URL` of the pgBouncer beside it, without a password")
	flags.StringVar(&f.PgbouncerURLFile, "pgbouncer.url-file", "", "read that URL from a `file` of mode 0600")
	flags.StringSliceVarP(&f.Config, "config", "c", nil, "`files` and folders of collectors, later ones change earlier ones; builtin = those that ship with it, basic = without tables and the like, fast = for scrapes every second (default builtin)")
	flags.StringVarP(&f.Label, "label", "l", "", "labels of all series, `a=b,c=d`")
	flags.StringVar(&f.Label, "constLabels", "", "the same")
	flags.StringVarP(&f.Tag, "tag", "t", "", "`tags` of this exporter, which collectors may ask for")
	flags.BoolVarP(&f.DisableCache, "disable-cache", "C", false, "run every collector at every scrape")
	flags.BoolVarP(&f.Discover, "auto-discovery", "a", true, "look into the server's other databases as well")
	flags.StringVarP(&f.Exclude, "exclude-database", "x", exporter.DefaultExclude, "`databases` not to look into")
	flags.StringVar(&f.Include, "include-database", "", "the only `databases` to look into (default all)")
	flags.IntVar(&f.Connections, "max-connections", exporter.DefaultConnections, "most connections to the server, one for a database at most")
	flags.IntVar(&f.Budget, "max-series", exporter.DefaultBudget, "most series of a collector that does not say itself")
	flags.VarP(&f.connectTimeout, "connect-timeout", "T", "longest wait for a connection, as 3s or in milliseconds (default 3s)")
	flags.DurationVar(&f.ScrapeTimeout, "scrape-timeout", exporter.DefaultScrapeTimeout, "longest scrape where the scraper does not say; an answer is given somewhat before")
	flags.BoolVarP(&f.DisableIntro, "disable-intro", "m", false, "leave out what it tells of itself")
	flags.BoolVarP(&f.FailFast, "fail-fast", "f", false, "end when the server does not answer at the start")
	flags.StringVarP(&f.Namespace, "namespace", "n", "", "what the names of its own metrics begin with (default pg, pgbouncer)")
	flags.StringVar(&f.Listen, "web.listen-address", exporter.DefaultListen, "`address` to listen on")
	flags.StringVar(&f.PgbouncerListen, "pgbouncer.listen-address", exporter.DefaultPoolListen, "`address` to listen on for pgBouncer")
	flags.StringVarP(&f.TelemetryPath, "web.telemetry-path", "P", exporter.DefaultPath, "`path` of the metrics")
	flags.StringVar(&f.WebConfig, "web.config.file", "", "`file` with TLS and users, as other exporters have it")
	flags.BoolVarP(&f.dryRun, "dry-run", "D", false, "check the collectors, write them, and end")
	flags.BoolVarP(&f.explain, "explain", "E", false, "write which collectors run on the server and which do not, and end")
	flags.StringVar(&f.logLevel, "log.level", "info", "debug, info, warn or error")
	flags.StringVar(&f.logFormat, "log.format", "logfmt", "logfmt or json")
	_ = flags.MarkHidden("constLabels") // it exists
}

// complete takes from the environment what was not given.
func (f *exporterFlags) complete(flags *pflag.FlagSet) error {
	f.Arguments = []string{f.URL, f.PgbouncerURL}
	for name, variable := range exporterEnv {
		value := os.Getenv(variable)
		if value == "" || flags.Changed(name) || name == "label" && flags.Changed("constLabels") {
			continue
		}
		if err := flags.Set(name, value); err != nil {
			return fmt.Errorf("%s: %w", variable, err)
		}
	}
	for _, url := range []struct {
		to        *string
		variables []string
	}{{&f.URL, []string{"PG_EXPORTER_URL", "PGURL"}}, {&f.PgbouncerURL, []string{"PG_EXPORTER_PGBOUNCER_URL"}}} {
		for _, variable := range url.variables {
			if *url.to == "" {
				*url.to = os.Getenv(variable)
			}
		}
	}
	f.ConnectTimeout, f.Version = time.Duration(f.connectTimeout), versionString()
	return nil
}

func (f *exporterFlags) run(ctx context.Context, out, errw io.Writer) error {
	if f.dryRun {
		return exporter.DryRun(f.Options, out)
	}
	log, err := f.logger(errw)
	if err != nil {
		return err
	}
	e, err := exporter.New(f.Options, log)
	if err != nil {
		return err
	}
	if f.explain {
		defer e.Close()
		return e.Explain(ctx, out)
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	go func() {
		for range hangups {
			_ = e.Reload() // it says in the log what was wrong
		}
	}()
	collectAsUsual()
	return e.Run(ctx)
}

func (f *exporterFlags) logger(to io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, fmt.Errorf("--log.level: %q is none of debug, info, warn, error", f.logLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	if f.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(to, options)), nil
	}
	return slog.New(slog.NewTextHandler(to, options)), nil
}

// millis is a time that may be given as a bare number of milliseconds, as pg_exporter has it.
type millis time.Duration

// String gives the time as Go writes it.
func (m *millis) String() string {
	if *m == 0 {
		return ""
	}
	return time.Duration(*m).String()
}

// Set reads 3s, or 3000.
func (m *millis) Set(text string) error {
	if n, err := strconv.Atoi(text); err == nil {
		*m = millis(time.Duration(n) * time.Millisecond)
		return nil
	}
	d, err := time.ParseDuration(text)
	*m = millis(d)
	return err
}

// Type names what is wanted, for help.
func (m *millis) Type() string { return "duration" }

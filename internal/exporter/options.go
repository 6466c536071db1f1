package exporter

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/exporter/collector"
	"pigsty/internal/exporter/collectors"
	"pigsty/internal/exporter/server"
)

// Options are what a user can say. The zero value of a field is its default where one is given.
type Options struct {
	URL              string   // of PostgreSQL, or of a pgBouncer's console; "none" = no such server
	URLFile          string   // file that holds URL
	PgbouncerURL     string   // of the console of the pgBouncer beside it; empty = none
	PgbouncerURLFile string   // file that holds PgbouncerURL
	Arguments        []string // of the URLs above, those that everybody on the machine could see

	Config []string // files and folders of collectors, or builtin, basic, fast; default builtin
	Label  string   // a=b,c=d
	Tag    string   // a,b

	Discover        bool
	Include         string // databases, comma-separated
	Exclude         string
	Connections     int
	ConnectTimeout  time.Duration
	Budget          int
	DisableCache    bool
	DisableIntro    bool // leave out what the exporter tells of itself
	FailFast        bool
	Namespace       string
	Listen          string // host:port, default :9630
	PgbouncerListen string // default :9631
	TelemetryPath   string // default /metrics
	WebConfig       string // file with TLS and users
	ScrapeTimeout   time.Duration
	Version         string // of the exporter
}

// Defaults of Options.
const (
	DefaultURL            = "postgresql:///postgres?sslmode=disable&host=/var/run/postgresql"
	DefaultListen         = ":9630"
	DefaultPoolListen     = ":9631"
	DefaultPath           = "/metrics"
	DefaultConnections    = 16
	DefaultBudget         = 50_000
	DefaultScrapeTimeout  = 10 * time.Second
	DefaultConnectTimeout = 3 * time.Second
	DefaultExclude        = "template0,template1,postgres"
)

// none says that there is no server of a kind.
const none = "none"

// sources are the collectors that were asked for.
func (o *Options) sources() []collector.Source {
	var out []collector.Source
	for _, path := range o.Config {
		if named := collectors.Named(path); named != nil {
			out = append(out, named...)
		} else if path != "" {
			out = append(out, collector.File(path))
		}
	}
	if len(out) == 0 {
		return []collector.Source{collectors.Source()}
	}
	return out
}

// Load reads the collectors. The error has every problem with its place.
func (o *Options) Load() (*collector.Set, error) { return collector.Load(o.sources()...) }

// servers are the servers to watch, each with where it is shown.
func (o *Options) servers() ([]shown, error) {
	for _, arg := range o.Arguments {
		if u, err := url.Parse(arg); err == nil && u.User != nil {
			if _, has := u.User.Password(); has {
				return nil, errors.New("a password on the command line can be seen by everybody on the machine; put the URL into PG_EXPORTER_URL, or into a file and name that with --url-file")
			}
		}
		if strings.Contains(arg, "password=") {
			return nil, errors.New("a password on the command line can be seen by everybody on the machine; put the URL into PG_EXPORTER_URL, or into a file and name that with --url-file")
		}
	}
	first, err := secret(o.URL, o.URLFile)
	if err != nil {
		return nil, err
	}
	pool, err := secret(o.PgbouncerURL, o.PgbouncerURLFile)
	if err != nil {
		return nil, err
	}
	var out []shown
	if first = cmp.Or(first, DefaultURL); first != none {
		config, err := o.server(first, false)
		if err != nil {
			return nil, err
		}
		out = append(out, shown{config, cmp.Or(o.Listen, DefaultListen)})
	}
	if pool != "" && pool != none {
		config, err := o.server(pool, true)
		if err != nil {
			return nil, err
		}
		out = append(out, shown{config, cmp.Or(o.PgbouncerListen, DefaultPoolListen)})
	}
	if len(out) == 0 {
		return nil, errors.New("there is no server to watch: give a URL of PostgreSQL or of a pgBouncer")
	}
	return out, nil
}

// shown is a server and the address at which it is shown.
type shown struct {
	config server.Config
	listen string
}

// secret gives a text, or what its file holds. The file must be its owner's alone.
func secret(text, file string) (string, error) {
	if file == "" {
		return strings.TrimSpace(text), nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("read the URL: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 && info.Mode().IsRegular() {
		return "", fmt.Errorf("read the URL: %s can be read by others (mode %04o): chmod 600 %s", file, info.Mode().Perm(), file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return "", fmt.Errorf("read the URL: %w; it must belong to the user that runs the exporter", err)
		}
		return "", fmt.Errorf("read the URL: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// server makes what watches the server of a URL.
func (o *Options) server(address string, console bool) (server.Config, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return server.Config{}, fmt.Errorf("the URL cannot be read: %w", withoutSecrets(err, address))
	}
	console = console || config.Database == "pgbouncer"
	out := server.Config{
		Conn: &config.Config, Pgbouncer: console, Namespace: o.Namespace,
		Simple:   config.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol,
		Discover: o.Discover && !console, Include: list(o.Include), Exclude: list(o.Exclude),
		Tags: list(o.Tag), NoCache: o.DisableCache, NoIntro: o.DisableIntro,
		Connections: cmp.Or(o.Connections, DefaultConnections), Budget: cmp.Or(o.Budget, DefaultBudget),
	}
	if console {
		config.Database = "pgbouncer"
	}
	out.Namespace = cmp.Or(o.Namespace, map[bool]string{true: "pgbouncer", false: "pg"}[console])
	if config.Database == "" {
		config.Database = config.User
	}
	config.ConnectTimeout = cmp.Or(o.ConnectTimeout, DefaultConnectTimeout)
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "pg_exporter"
	}
	out.Labels, err = labels(o.Label)
	return out, err
}

// withoutSecrets keeps what could be a password out of an error about a URL.
func withoutSecrets(err error, address string) error {
	if u, parseErr := url.Parse(address); parseErr == nil && u.User != nil {
		if password, has := u.User.Password(); has && password != "" {
			return errors.New(strings.ReplaceAll(err.Error(), password, "******"))
		}
		return err
	}
	return errors.New("it is neither a URL nor a list of key=value")
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// labels reads a=b,c=d.
func labels(text string) ([]server.Label, error) {
	var out []server.Label
	for _, item := range strings.Split(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		name, value, ok := strings.Cut(item, "=")
		name = strings.TrimSpace(name)
		if !ok || !collector.ValidName(name) {
			return nil, fmt.Errorf("label %q is not of the form name=value", item)
		}
		out = append(out, server.Label{Name: name, Value: strings.Trim(strings.TrimSpace(value), `"`)})
	}
	return out, nil
}

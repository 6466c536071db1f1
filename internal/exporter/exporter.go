// Package exporter shows Prometheus what happens in a PostgreSQL server and in a pgBouncer: one
// process, an address for each of the two.
package exporter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"pigsty/internal/exporter/collector"
	"pigsty/internal/exporter/server"
)

// Exporter watches one or two servers.
type Exporter struct {
	options Options
	log     *slog.Logger
	pages   []*page
	reload  sync.Mutex
}

// page is one server and how it is shown.
type page struct {
	*server.Server
	exporter *Exporter
	listen   string
}

// New makes an exporter that does not listen yet. The error names everything that is wrong with
// the collectors.
func New(options Options, log *slog.Logger) (*Exporter, error) {
	options.TelemetryPath = cmp.Or(options.TelemetryPath, DefaultPath)
	options.ScrapeTimeout = cmp.Or(options.ScrapeTimeout, DefaultScrapeTimeout)
	set, err := options.Load()
	if err != nil {
		return nil, err
	}
	servers, err := options.servers()
	if err != nil {
		return nil, err
	}
	for _, s := range servers {
		if err := clash(set, s.config.Labels); err != nil {
			return nil, err
		}
	}
	e := &Exporter{options: options, log: log}
	for _, s := range servers {
		s.config.Collectors = set
		s.config.Log = log.With("server", s.config.Namespace)
		e.pages = append(e.pages, &page{Server: server.New(s.config), exporter: e, listen: s.listen})
	}
	return e, nil
}

// clash refuses a label of all series that a collector has as well.
func clash(set *collector.Set, labels []server.Label) error {
	for _, c := range set.All() {
		for _, col := range c.Labels() {
			for _, l := range labels {
				if col.Alias() == l.Name && !c.Skip {
					return fmt.Errorf("%s: collector %s has label %q, which --label gives to all series", c.Pos, c.Branch, l.Name)
				}
			}
		}
	}
	return nil
}

// Reload reads the collectors again. When they are refused those before stay.
func (e *Exporter) Reload() error {
	e.reload.Lock()
	defer e.reload.Unlock()
	set, err := e.options.Load()
	for _, p := range e.pages {
		if err == nil {
			err = clash(set, p.Labels())
		}
	}
	if err != nil {
		for _, p := range e.pages {
			p.ReloadFailed()
		}
		e.log.Error("the collectors are refused, those before stay", "error", err)
		return err
	}
	for _, p := range e.pages {
		p.Use(set)
	}
	e.log.Info("collectors loaded", "count", len(set.All()))
	return nil
}

// Explain writes which collectors run on the servers, and why others do not.
func (e *Exporter) Explain(ctx context.Context, to io.Writer) error {
	var failures error
	for _, p := range e.pages {
		failures = errors.Join(failures, p.Server.Explain(ctx, to))
	}
	return failures
}

// Run serves until the context ends. With FailFast it first makes sure that the servers answer.
func (e *Exporter) Run(ctx context.Context) error {
	defer e.Close()
	if e.options.FailFast {
		for _, p := range e.pages {
			if err := p.Check(ctx); err != nil {
				return fmt.Errorf("the server at %s: %w", p.Address(), err)
			}
		}
	}
	guard, err := loadGuard(e.options.WebConfig)
	if err != nil {
		return err
	}
	failed := make(chan error, len(e.pages))
	var servers []*http.Server
	for _, p := range e.pages {
		listener, err := net.Listen("tcp", p.listen)
		if err != nil {
			return errors.Join(fmt.Errorf("listen: %w", err), shut(servers))
		}
		h := &http.Server{
			Handler: guard.handler(p.routes()), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute,
			ErrorLog: slog.NewLogLogger(e.log.Handler(), slog.LevelDebug),
		}
		servers = append(servers, h)
		e.log.Info("listening", "address", listener.Addr().String(), "server", p.Address())
		go func() { failed <- h.Serve(guard.listener(listener)) }()
	}
	select {
	case err := <-failed:
		return errors.Join(err, shut(servers))
	case <-ctx.Done():
		return shut(servers)
	}
}

// shut ends servers, giving scrapes that are under way a moment.
func shut(servers []*http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, h := range servers {
		if h.Shutdown(ctx) != nil {
			_ = h.Close() // whoever still waits has waited long enough
		}
	}
	return nil
}

// Close ends what runs and closes the connections.
func (e *Exporter) Close() {
	for _, p := range e.pages {
		p.Server.Close()
	}
}

// DryRun writes the collectors as they were understood, or tells everything that is wrong with them.
func DryRun(options Options, to io.Writer) error {
	set, err := options.Load()
	if err != nil {
		return err
	}
	for _, c := range set.All() {
		server.Describe(to, c)
		fmt.Fprintln(to)
	}
	return nil
}

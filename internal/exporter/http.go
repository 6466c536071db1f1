package exporter

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"pigsty/internal/exporter/series"
)

// healthTimeout is how long a load balancer waits for an answer at most.
const healthTimeout = time.Second

// routes are what can be asked.
func (p *page) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+p.exporter.options.TelemetryPath, p.metrics)
	mux.HandleFunc("GET /{$}", p.index)
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "pg_exporter", p.exporter.options.Version)
	})
	mux.HandleFunc("/reload", p.reload)
	mux.HandleFunc("GET /explain", text(p.Server.Explain))
	mux.HandleFunc("GET /stat", text(func(_ context.Context, w io.Writer) error { return p.Server.Stat(w) }))
	for _, name := range []string{"up", "read", "health", "liveness", "readiness"} {
		mux.HandleFunc("GET /"+name, p.health(func(bool) bool { return true }))
	}
	for _, name := range []string{"primary", "leader", "master", "read-write", "rw"} {
		mux.HandleFunc("GET /"+name, p.health(func(recovery bool) bool { return !recovery }))
	}
	for _, name := range []string{"replica", "standby", "slave", "read-only", "ro"} {
		mux.HandleFunc("GET /"+name, p.health(func(recovery bool) bool { return recovery }))
	}
	return mux
}

// zippers are kept, since a new one takes most of a megabyte.
var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is one there is
	return z
}}

func (p *page) metrics(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), p.deadline(r))
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	asker, _, _ := net.SplitHostPort(r.RemoteAddr)
	var to io.Writer = w
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		z := zippers.Get().(*gzip.Writer)
		defer zippers.Put(z)
		z.Reset(w)
		defer z.Close()
		to = z
	}
	if err := p.Scrape(ctx, asker, to); err != nil {
		p.exporter.log.Debug("the scraper went away", "error", err)
		return
	}
	if p.exporter.options.DisableIntro {
		return
	}
	out := series.NewWriter(to)
	p.exporter.writeProcess(out)
	_ = out.Close() // as above
}

// deadline is when an answer must be on its way: somewhat before the scraper gives up.
func (p *page) deadline(r *http.Request) time.Duration {
	limit := p.exporter.options.ScrapeTimeout
	if v, err := strconv.ParseFloat(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64); err == nil && v > 0 && v < 3600 {
		limit = time.Duration(v * float64(time.Second))
	}
	return limit - min(limit/4, 500*time.Millisecond)
}

// health answers a load balancer: 200 when the server is up and of the role that is asked for, 404
// when it is of the other, 503 when it is down.
func (p *page) health(fits func(recovery bool) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
		defer cancel()
		recovery, err := p.Role(ctx)
		role := "primary"
		if recovery {
			role = "replica"
		}
		switch {
		case err != nil:
			http.Error(w, "down: "+err.Error(), http.StatusServiceUnavailable)
		case fits(recovery):
			fmt.Fprintln(w, role)
		default:
			http.Error(w, role, http.StatusNotFound)
		}
	}
}

func (p *page) reload(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		http.Error(w, "use GET or POST", http.StatusMethodNotAllowed)
		return
	}
	if err := p.exporter.Reload(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, "reloaded")
}

// text answers with what a function writes.
func text(write func(context.Context, io.Writer) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := write(r.Context(), &b); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = b.WriteTo(w) // whoever asked may be gone
	}
}

func (p *page) index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><html lang="en"><title>pg_exporter</title><h1>pg_exporter</h1><ul>`)
	for _, link := range []string{p.exporter.options.TelemetryPath, "/explain", "/stat", "/health", "/version"} {
		fmt.Fprintf(w, `<li><a href="%[1]s">%[1]s</a>`, link)
	}
	fmt.Fprintln(w, "</ul></html>")
}

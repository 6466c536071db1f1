package server

import (
	"time"

	"pigsty/internal/exporter/series"
)

// writeOwn writes what is known of the server as a whole and of the watching itself.
func (s *Server) writeOwn(w *series.Writer, p *plan, databases []*database, lost map[*reading]dropped) {
	s.mu.Lock()
	now, t, search, expires := s.state, s.totals, s.config.Discover, s.certificate.expires
	s.mu.Unlock()
	ns, at := s.config.Namespace, time.Now()
	up := now.gone(at) == nil
	gauge := func(name, help string, v float64) { w.One(ns+name, "gauge", help, s.constant, v) }
	counter := func(name, help string, v int) { w.One(ns+name, "counter", help, s.constant, float64(v)) }

	gauge("_up", "1 when the server answers, 0 when it does not", truth(up))
	if up {
		gauge("_version", "version of the server as a number", float64(now.version))
		if !s.config.Pgbouncer {
			gauge("_in_recovery", "1 when the server is in recovery: a replica", truth(now.recovery))
		}
	}
	if up && !expires.IsZero() {
		gauge("_certificate_expiry_seconds", "seconds until the first of the certificates that the server shows to clients expires", expires.Sub(at).Seconds())
	}
	if s.config.NoIntro {
		return
	}
	gauge("_exporter_up", "always 1", 1)
	gauge("_exporter_uptime", "seconds since the exporter started", at.Sub(t.started).Seconds())
	gauge("_exporter_last_scrape_time", "when the last scrape came, in seconds since 1970", seconds(t.lastScrape))
	gauge("_exporter_scrape_duration", "seconds that the last scrape waited for results", t.lastTook.Seconds())
	counter("_exporter_scrape_total_count", "scrapes since the start", t.scrapes)
	counter("_exporter_scrape_error_count", "scrapes that found the server down", t.failed)
	counter("_exporter_scrape_late_count", "scrapes that were answered at their deadline with what there was", t.late)
	counter("_exporter_reload_count", "times that the collectors were loaded anew", t.reloads)
	counter("_exporter_reload_error_count", "times that collectors were refused, and those before stayed", t.reloadFailures)
	gauge("_exporter_connections", "connections to the server", float64(s.mains.size()+s.others.size()))
	gauge("_exporter_connection_limit", "most connections to the server", float64(s.mains.max+s.others.max))
	if search {
		gauge("_exporter_databases", "databases that are looked into", float64(len(databases)))
		s.writeDatabases(w, ns, databases)
	}
	s.writeCollectors(w, ns, p, databases, lost, at)
}

func (s *Server) writeDatabases(w *series.Writer, ns string, databases []*database) {
	name := ns + "_exporter_database_up"
	w.Family(name, "gauge", "1 when there is a connection to the database or one can be had, 0 when it is refused")
	var l series.Labels
	for _, d := range databases {
		d.mu.Lock()
		up := d.down == nil
		d.mu.Unlock()
		l.Reset(s.constant)
		l.Add("datname", []byte(d.name))
		w.Sample(name, l.Bytes(), truth(up))
	}
}

// effort is what a collector has cost and given, over all databases.
type effort struct {
	took                time.Duration
	age                 float64
	series, databases   int
	runs, errors, skips int
	failing             int
	dropped             dropped
}

func (s *Server) writeCollectors(w *series.Writer, ns string, p *plan, databases []*database, lost map[*reading]dropped, at time.Time) {
	efforts := make([]effort, len(p.readings))
	for i, r := range p.readings {
		efforts[i].dropped = lost[r]
		for _, d := range databases {
			d.addEffort(&efforts[i], r, at)
		}
	}
	var l series.Labels
	each := func(name, kind, help string, value func(effort) float64) {
		begun := false
		for i, r := range p.readings {
			if efforts[i].databases == 0 {
				continue // it applies nowhere
			}
			if !begun {
				w.Family(ns+"_exporter_collector_"+name, kind, help)
				begun = true
			}
			l.Reset(s.constant)
			l.Add("collector", []byte(r.Branch))
			w.Sample(ns+"_exporter_collector_"+name, l.Bytes(), value(efforts[i]))
		}
	}
	each("duration", "gauge", "seconds that the collector's last run took, added up over databases", func(e effort) float64 { return e.took.Seconds() })
	each("age", "gauge", "seconds since the collector's result was found, of the oldest", func(e effort) float64 { return e.age })
	each("up", "gauge", "1 when the collector's last run went well in every database", func(e effort) float64 { return truth(e.failing == 0) })
	each("total_count", "counter", "runs of the collector that went well", func(e effort) float64 { return float64(e.runs) })
	each("error_count", "counter", "runs of the collector that failed", func(e effort) float64 { return float64(e.errors) })
	each("skip_count", "counter", "runs that a predicate of the collector prevented", func(e effort) float64 { return float64(e.skips) })
	each("series", "gauge", "series that the collector found", func(e effort) float64 { return float64(e.series) })
	each("dropped", "gauge", "series that were found and are left out: beyond the collector's top or budget, or twice the same labels", func(e effort) float64 {
		return float64(e.dropped.top + e.dropped.budget + e.dropped.duplicate)
	})
	each("truncated", "gauge", "of those, the ones beyond the collector's budget", func(e effort) float64 { return float64(e.dropped.budget) })
}

func (d *database) addEffort(e *effort, r *reading, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	res := d.results[r.Branch]
	if res == nil || res.tried.IsZero() {
		return
	}
	e.databases++
	e.took += res.took
	e.series += res.series
	e.runs, e.errors, e.skips = e.runs+res.runs, e.errors+res.errors, e.skips+res.skips
	e.dropped.budget += res.over
	if res.table != nil {
		e.age = max(e.age, at.Sub(res.at).Seconds())
	}
	if res.err != nil {
		e.failing++
	}
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

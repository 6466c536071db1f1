package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pigsty/internal/exporter/collector"
)

// load reads collectors from text.
func load(t *testing.T, text string) *collector.Set {
	t.Helper()
	set, err := collector.Load(collector.Source{FS: fstest.MapFS{"x.yml": {Data: []byte(text)}}, Path: "x.yml"})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// watch makes a server that watches a backend and ends with the test. It leaves no goroutine.
func watch(t *testing.T, b *backend, collectors string, change ...func(*Config)) *Server {
	t.Helper()
	before := runtime.NumGoroutine()
	conn, err := pgconn.ParseConfig(fmt.Sprintf("postgres://monitor@%s/main?sslmode=disable", b.listener.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	conn.ConnectTimeout = time.Minute
	config := Config{
		Conn: conn, Collectors: load(t, collectors), Namespace: "pg", Connections: 4, Budget: 1000,
		Log: slog.New(slog.DiscardHandler), Patience: time.Minute,
	}
	for _, c := range change {
		c(&config)
	}
	s := New(config)
	t.Cleanup(func() {
		b.close()
		s.Close()
		eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
	})
	return s
}

// impatient is for servers that are to be given up soon.
func impatient(c *Config) {
	c.Patience, c.Conn.ConnectTimeout = 50*time.Millisecond, 50*time.Millisecond
}

// eventually waits until something is so; a test that waits for ever is ended by go test.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 2000 {
		if so() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	buf := make([]byte, 1<<16)
	t.Fatalf("never: %s\n%s", what, buf[:runtime.Stack(buf, true)])
}

// scrape gives the metrics by name and labels. A limit of 0 is long enough for everything.
func scrape(t *testing.T, s *Server, limit time.Duration) map[string]string {
	t.Helper()
	if limit == 0 {
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var text bytes.Buffer
	if err := s.Scrape(ctx, "here", &text); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(text.String()) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			at := strings.LastIndex(line, " ")
			if _, twice := out[line[:at]]; twice {
				t.Errorf("%s is there twice", line[:at])
			}
			out[line[:at]] = line[at+1:]
		}
	}
	return out
}

func expect(t *testing.T, got map[string]string, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if v, ok := got[name]; v != value || ok != (value != "") {
			t.Errorf("%s is %q, want %q", name, v, value)
		}
	}
}

const two = `
pg_live:
  query: SELECT live
  tags: [ cluster ]
  metrics: [ { n: { usage: GAUGE } } ]
pg_kept:
  query: SELECT kept
  ttl: 3600
  tags: [ cluster ]
  metrics: [ { who: { usage: LABEL } }, { n: { usage: COUNTER, scale: 1e-3 } } ]
`

func twoAnswers() []reply {
	return []reply{
		{contains: "live", columns: []string{"n"}, rows: [][]string{{"1"}}},
		{contains: "kept", columns: []string{"who", "n"}, rows: [][]string{{"a", "1500"}, {"b", "7"}, {"b", "8"}}},
	}
}

func TestScrape(t *testing.T) {
	b := newBackend(t)
	b.answers = twoAnswers()
	s := watch(t, b, two, func(c *Config) { c.Labels = []Label{{"env", "x"}} })
	for range 3 {
		expect(t, scrape(t, s, 0), map[string]string{
			`pg_up{env="x"}`: "1", `pg_version{env="x"}`: "170011", `pg_in_recovery{env="x"}`: "0",
			`pg_live_n{env="x"}`: "1", `pg_kept_n{env="x",who="a"}`: "1.5", `pg_kept_n{env="x",who="b"}`: "0.007",
			`pg_exporter_collector_dropped{env="x",collector="pg_kept"}`: "1",
		})
	}
	if b.times("live") != 3 || b.times("kept") != 1 {
		t.Errorf("the live query was asked %d times, the kept one %d times", b.times("live"), b.times("kept"))
	}
	if b.opened["main"] != 1 {
		t.Errorf("%d connections were opened", b.opened["main"])
	}
}

func TestNoCache(t *testing.T) {
	b := newBackend(t)
	b.answers = twoAnswers()
	s := watch(t, b, two, func(c *Config) { c.NoCache = true })
	scrape(t, s, 0)
	scrape(t, s, 0)
	if b.times("kept") != 2 {
		t.Errorf("the query was asked %d times", b.times("kept"))
	}
}

func TestAServerThatHangs(t *testing.T) {
	b := newBackend(t)
	b.answers = twoAnswers()
	s := watch(t, b, two, impatient)
	eventually(t, "the server counts as up", func() bool { return scrape(t, s, time.Second)["pg_up"] == "1" })
	b.change(func() { b.silent = true })
	// It answers all the same, and knows that the server is down once it has waited long enough.
	eventually(t, "the server counts as down", func() bool { return scrape(t, s, 50*time.Millisecond)["pg_up"] == "0" })
	got := scrape(t, s, 50*time.Millisecond)
	expect(t, got, map[string]string{"pg_live_n": "", `pg_kept_n{who="a"}`: "", "pg_exporter_up": "1"})
	if n := s.mains.size(); n > 1 {
		t.Errorf("%d connections", n)
	}
	b.change(func() { b.silent = false })
	b.cut()
	eventually(t, "the server is back", func() bool { return scrape(t, s, time.Second)["pg_up"] == "1" })
}

func TestACollectorThatHangs(t *testing.T) {
	b := newBackend(t)
	hang := make(chan struct{})
	defer close(hang)
	b.answers = append([]reply{{contains: "stuck", hang: hang}}, twoAnswers()...)
	s := watch(t, b, `pg_stuck: { query: SELECT stuck, ttl: 60, timeout: 0.05, tags: [ cluster ], metrics: [ { n: { usage: GAUGE } } ] }`+two, impatient)
	scrape(t, s, 100*time.Millisecond)
	// The connection is given up with the query, and the others are run on the next one.
	eventually(t, "the other collectors have run", func() bool {
		got := scrape(t, s, 100*time.Millisecond)
		return got["pg_up"] == "1" && got["pg_live_n"] == "1" && got[`pg_exporter_collector_error_count{collector="pg_stuck"}`] == "1"
	})
	if b.times("stuck") != 1 {
		t.Errorf("it was asked %d times", b.times("stuck"))
	}
}

func TestACollectorThatFails(t *testing.T) {
	b := newBackend(t)
	b.answers = append([]reply{{contains: "wrong", code: "42P01"}}, twoAnswers()...)
	s := watch(t, b, `pg_wrong: { query: SELECT wrong, tags: [ cluster ], metrics: [ { n: { usage: GAUGE } } ] }`+two)
	scrape(t, s, 0)
	expect(t, scrape(t, s, 0), map[string]string{
		"pg_up": "1", "pg_live_n": "1", "pg_wrong_n": "",
		`pg_exporter_collector_error_count{collector="pg_wrong"}`: "2",
		`pg_exporter_collector_up{collector="pg_wrong"}`:          "0",
		`pg_exporter_collector_up{collector="pg_live"}`:           "1",
	})
	var stat bytes.Buffer
	if err := s.Stat(&stat); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`pg_wrong .* 2 +no \(SQLSTATE 42P01\)`).MatchString(stat.String()) {
		t.Error(stat.String())
	}
}

func TestAFatalCollectorThatFails(t *testing.T) {
	b := newBackend(t)
	b.answers = append([]reply{{contains: "vital", columns: []string{"n"}, code: "XX000"}}, twoAnswers()...)
	s := watch(t, b, two+`
pg_vital: { query: SELECT vital, fatal: true, tags: [ cluster ], metrics: [ { n: { usage: GAUGE } } ] }`)
	expect(t, scrape(t, s, 0), map[string]string{"pg_up": "0", "pg_live_n": ""})
	if b.times("live") != 0 {
		t.Error("the others were run")
	}
	b.change(func() { b.answers[0] = reply{contains: "vital", columns: []string{"n"}, rows: [][]string{{"5"}}} })
	expect(t, scrape(t, s, 0), map[string]string{"pg_up": "1", "pg_vital_n": "5", "pg_live_n": "1"})
}

func TestAServerThatIsKilled(t *testing.T) {
	b := newBackend(t)
	b.answers = twoAnswers()
	s := watch(t, b, two)
	scrape(t, s, 0)
	b.cut()
	expect(t, scrape(t, s, 0), map[string]string{"pg_up": "1", `pg_kept_n{who="a"}`: "1.5"}) // by a new connection
	b.close()
	expect(t, scrape(t, s, 0), map[string]string{"pg_up": "0", `pg_kept_n{who="a"}`: ""})
	if _, err := s.Role(t.Context()); err == nil {
		t.Error("a server that is killed has a role")
	}
}

// A collector that runs when its server is shut down has not failed.
func TestACollectorThatAShutdownBrokeOffRunsAgain(t *testing.T) {
	const up = `pg_exporter_collector_up{collector="pg_kept"}`
	b := newBackend(t)
	b.answers = append([]reply{{contains: "kept", columns: []string{"who", "n"}, breaks: true}}, twoAnswers()...)
	s := watch(t, b, two)
	expect(t, scrape(t, s, 0), map[string]string{up: "0"})
	b.change(func() { b.answers = twoAnswers() })
	expect(t, scrape(t, s, 0), map[string]string{"pg_up": "1", up: "1", `pg_kept_n{who="a"}`: "1.5"})
}

func TestACollectorThatBreaksConnectionsIsNotRunEachTime(t *testing.T) {
	b := newBackend(t)
	b.answers = append([]reply{{contains: "kept", columns: []string{"who", "n"}, breaks: true}}, twoAnswers()...)
	s := watch(t, b, two)
	for range 5 {
		scrape(t, s, 0)
	}
	if n := b.times("kept"); n != 1+retryBroken {
		t.Errorf("it was asked %d times", n)
	}
	expect(t, scrape(t, s, 0), map[string]string{
		"pg_up": "1", "pg_live_n": "1", `pg_exporter_collector_up{collector="pg_kept"}`: "0",
	})
}

func TestHowLongAnAttemptStands(t *testing.T) {
	failed := errors.New("no")
	for _, c := range []struct {
		result
		ttl, want time.Duration
	}{
		{result{}, time.Hour, time.Hour},
		{result{err: failed}, time.Hour, retryFailed},
		{result{err: failed}, time.Second, time.Second},
		{result{err: failed, broken: 1}, time.Hour, 0},
		{result{err: failed, broken: 2}, time.Hour, retryFailed},
	} {
		if got := c.good(c.ttl); got != c.want {
			t.Errorf("%v, broken %d times: %s, want %s", c.err, c.broken, got, c.want)
		}
	}
}

func TestRole(t *testing.T) {
	b := newBackend(t)
	b.answers = []reply{{contains: "primary", columns: []string{"n"}, rows: [][]string{{"1"}}}, {contains: "replica", columns: []string{"n"}, rows: [][]string{{"2"}}}}
	s := watch(t, b, `
pg_a: { name: pg, query: SELECT primary, tags: [ cluster, primary ], metrics: [ { n: { usage: GAUGE } } ] }
pg_b: { name: pg, query: SELECT replica, tags: [ cluster, replica ], metrics: [ { n: { usage: GAUGE } } ] }`)
	if recovery, err := s.Role(t.Context()); recovery || err != nil {
		t.Errorf("recovery %v, %v", recovery, err)
	}
	expect(t, scrape(t, s, 0), map[string]string{"pg_n": "1", "pg_in_recovery": "0"})
	b.change(func() { b.recovery = "t" })
	expect(t, scrape(t, s, 0), map[string]string{"pg_n": "2", "pg_in_recovery": "1"})
	if recovery, err := s.Role(t.Context()); !recovery || err != nil {
		t.Errorf("recovery %v, %v", recovery, err)
	}
}

func TestPredicates(t *testing.T) {
	b := newBackend(t)
	b.answers = append([]reply{{contains: "SELECT may", columns: []string{"b"}, rows: [][]string{{"f"}}}}, twoAnswers()...)
	s := watch(t, b, `
pg_live: { query: SELECT live, tags: [ cluster ], predicate_queries: [ { name: may, predicate_query: SELECT may } ], metrics: [ { n: { usage: GAUGE } } ] }`)
	expect(t, scrape(t, s, 0), map[string]string{"pg_live_n": "", `pg_exporter_collector_skip_count{collector="pg_live"}`: "1"})
	b.change(func() { b.answers[0].rows = [][]string{{"t"}} })
	expect(t, scrape(t, s, 0), map[string]string{"pg_live_n": "1"})
	b.change(func() { b.answers[0].rows = nil })
	expect(t, scrape(t, s, 0), map[string]string{"pg_live_n": ""})
	b.change(func() { b.answers[0].rows = [][]string{{"t"}, {"t"}} })
	expect(t, scrape(t, s, 0), map[string]string{`pg_exporter_collector_error_count{collector="pg_live"}`: "1"})
}

func TestReloadKeepsWhatIsTheSame(t *testing.T) {
	b := newBackend(t)
	b.answers = twoAnswers()
	s := watch(t, b, two)
	scrape(t, s, 0)
	s.Use(load(t, two+`
pg_more: { query: SELECT live, tags: [ cluster ], metrics: [ { n: { usage: GAUGE } } ] }`))
	expect(t, scrape(t, s, 0), map[string]string{
		"pg_live_n": "1", "pg_more_n": "1", `pg_kept_n{who="a"}`: "1.5", "pg_exporter_reload_count": "1",
		`pg_exporter_collector_total_count{collector="pg_live"}`: "2",
	})
	if b.times("kept") != 1 {
		t.Errorf("what was kept was asked for %d times", b.times("kept"))
	}
	s.Use(load(t, strings.ReplaceAll(two, "SELECT kept", "SELECT kept, anew")))
	expect(t, scrape(t, s, 0), map[string]string{"pg_more_n": "", `pg_kept_n{who="a"}`: "1.5"})
	if b.times("anew") != 1 {
		t.Error("a changed query was not asked")
	}
}

const each = `
pg_each: { query: SELECT each, ttl: 3600, metrics: [ { d: { usage: LABEL } }, { n: { usage: GAUGE } } ] }`

func discovering(c *Config) { c.Discover, c.Exclude = true, []string{"not"} }

func TestDatabasesComeAndGo(t *testing.T) {
	b := newBackend(t)
	b.answers = []reply{{contains: "each", columns: []string{"n"}, rows: [][]string{{"1"}}}}
	b.databases = []string{"main", "app", "not"}
	s := watch(t, b, each, discovering)
	expect(t, scrape(t, s, 0), map[string]string{`pg_each_n{datname="app"}`: "1", `pg_each_n{datname="main"}`: "1", `pg_exporter_database_up{datname="app"}`: "1", `pg_exporter_database_up{datname="not"}`: "", "pg_exporter_databases": "2"})
	if b.opened["app"] != 1 || b.opened["main"] != 1 {
		t.Errorf("connections: %v", b.opened)
	}
	b.change(func() { b.databases = []string{"main", "new"} })
	s.mu.Lock()
	s.found = time.Time{} // it is time to look again
	s.mu.Unlock()
	expect(t, scrape(t, s, 0), map[string]string{`pg_exporter_database_up{datname="app"}`: "", `pg_exporter_database_up{datname="new"}`: "1"})
	eventually(t, "the connection to the database that is gone is closed", func() bool { return s.others.size() == 1 })
}

func TestManyDatabasesShareFewConnections(t *testing.T) {
	b := newBackend(t)
	b.answers = []reply{{contains: "each", columns: []string{"n"}, rows: [][]string{{"1"}}}}
	for i := range 8 {
		b.databases = append(b.databases, fmt.Sprint("db", i))
	}
	s := watch(t, b, each, discovering, func(c *Config) { c.Connections = 3 })
	eventually(t, "every database was visited", func() bool {
		return scrape(t, s, 100*time.Millisecond)[`pg_exporter_collector_total_count{collector="pg_each"}`] == "9"
	})
	// One more may be open while another one's farewell is under way.
	if b.most > 4 {
		t.Errorf("%d connections at a time", b.most)
	}
}

func TestBudgetAndTop(t *testing.T) {
	b := newBackend(t)
	r := reply{contains: "each", columns: []string{"d", "n"}}
	for i := range 20 {
		r.rows = append(r.rows, []string{fmt.Sprint("t", i), fmt.Sprint(i)})
	}
	b.answers = []reply{r}
	s := watch(t, b, `
pg_each: { query: SELECT each, budget: 5, metrics: [ { d: { usage: LABEL } }, { n: { usage: GAUGE } } ] }
pg_best: { query: SELECT each, top: { keep: 2, by: [ n ] }, metrics: [ { d: { usage: LABEL } }, { n: { usage: GAUGE } } ] }`)
	got := scrape(t, s, 0)
	expect(t, got, map[string]string{
		`pg_each_n{datname="main",d="t4"}`: "4", `pg_each_n{datname="main",d="t5"}`: "",
		`pg_exporter_collector_truncated{collector="pg_each"}`: "15", `pg_exporter_collector_dropped{collector="pg_each"}`: "15",
		`pg_best_n{datname="main",d="t19"}`: "19", `pg_best_n{datname="main",d="t18"}`: "18", `pg_best_n{datname="main",d="t17"}`: "",
		`pg_exporter_collector_truncated{collector="pg_best"}`: "0", `pg_exporter_collector_dropped{collector="pg_best"}`: "18",
	})
}

func TestHistogram(t *testing.T) {
	b := newBackend(t)
	b.answers = []reply{{contains: "ages", columns: []string{"d", "age"}, rows: [][]string{{"a", "1"}, {"a", "5"}, {"b", "100"}}}}
	s := watch(t, b, `
pg: { query: SELECT ages, tags: [ cluster ], metrics: [ { d: { usage: LABEL } }, { age: { usage: HISTOGRAM, bucket: [ 1, 10 ] } } ] }`)
	expect(t, scrape(t, s, 0), map[string]string{
		`pg_age_bucket{d="a",le="1"}`: "1", `pg_age_bucket{d="a",le="10"}`: "2", `pg_age_bucket{d="a",le="+Inf"}`: "2",
		`pg_age_sum{d="a"}`: "6", `pg_age_count{d="b"}`: "1",
	})
}

func TestPgbouncer(t *testing.T) {
	b := newBackend(t)
	b.version = "1.24.1/bouncer"
	b.answers = []reply{{contains: "SHOW LISTS", columns: []string{"list", "items"}, rows: [][]string{{"pools", "3"}}}}
	s := watch(t, b, two+`
pgbouncer_list: { query: SHOW LISTS, tags: [ pgbouncer ], min_version: 11800, metrics: [ { list: { usage: LABEL } }, { items: { usage: GAUGE } } ] }`,
		func(c *Config) { c.Pgbouncer, c.Namespace = true, "pgbouncer" })
	expect(t, scrape(t, s, 0), map[string]string{`pgbouncer_list_items{list="pools"}`: "3", "pgbouncer_up": "1", "pgbouncer_version": "12401", "pgbouncer_in_recovery": ""})
	for sql := range b.asked {
		if !slices.Contains([]string{"SHOW VERSION", "SHOW LISTS"}, sql) {
			t.Errorf("the console was asked %q", sql)
		}
	}
}

func TestSchemaOfAnExtension(t *testing.T) {
	b := newBackend(t)
	b.answers = []reply{{contains: `FROM "monitor".pg_stat_statements`, columns: []string{"n"}, rows: [][]string{{"3"}}}}
	s := watch(t, b, `
pg_query: { query: "SELECT n FROM ${schema:pg_stat_statements}.pg_stat_statements", tags: [ cluster, "extension:pg_stat_statements" ], metrics: [ { n: { usage: GAUGE } } ] }
pg_none: { query: SELECT none, tags: [ "extension:postgis" ], metrics: [ { n: { usage: GAUGE } } ] }`)
	expect(t, scrape(t, s, 0), map[string]string{"pg_query_n": "3"})
	var text bytes.Buffer
	if err := s.Explain(t.Context(), &text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "# not pg_none: needs extension postgis") {
		t.Error(text.String())
	}
}

// The server is told of a limit when it changes, and collectors run so that this is seldom.
func TestLimitsAreToldOnce(t *testing.T) {
	b := newBackend(t)
	b.answers = []reply{{contains: "SELECT n", columns: []string{"n"}, rows: [][]string{{"1"}}}}
	s := watch(t, b, `
pg_a: { query: SELECT n FROM a, timeout: 5, tags: [ cluster ], metrics: [ { n: { usage: GAUGE } } ] }
pg_b: { query: SELECT n FROM b, timeout: 60, tags: [ cluster ], metrics: [ { n: { usage: GAUGE } } ] }
pg_c: { query: SELECT n FROM c, timeout: 5, tags: [ cluster ], metrics: [ { n: { usage: GAUGE } } ] }
pg_d: { query: SELECT n FROM d, timeout: -1, tags: [ cluster ], metrics: [ { n: { usage: GAUGE } } ] }
pg_e: { query: SELECT n FROM e, timeout: 60, tags: [ cluster ], metrics: [ { n: { usage: GAUGE } } ] }`)
	expect(t, scrape(t, s, 0), map[string]string{"pg_a_n": "1", "pg_b_n": "1", "pg_c_n": "1", "pg_d_n": "1", "pg_e_n": "1"})
	for setting, want := range map[string]int{
		"statement_timeout = 5000": 1, "statement_timeout = 0": 1, "search_path = pg_catalog": 1, "RESET search_path": 1,
	} {
		if got := b.times(setting); got != want {
			t.Errorf("%s was said %d times, want %d", setting, got, want)
		}
	}
}

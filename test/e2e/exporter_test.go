//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"pigsty/internal/sandbox"
)

// watched is a node with a PostgreSQL server, a pgBouncer before it, and the exporter of both.
type watched struct {
	t     *testing.T
	nodes *sandbox.Sandbox
	node  sandbox.Node
}

// TestExporter holds the exporter against a real server that hangs, is locked, is killed and has
// many databases. It connects with TLS, as a user who may only watch.
func TestExporter(t *testing.T) {
	t.Parallel() // most of it is waiting
	nodes := startNodes(t, "t-exporter", "10.10.84.0/24", 1, withSoftware)
	w := &watched{t: t, nodes: nodes, node: nodes.Nodes()[0]}
	w.install()
	for _, step := range []struct {
		name string
		do   func(*watched)
	}{
		{"all collectors work", (*watched).allWork},
		{"health", (*watched).health},
		{"reload", (*watched).reloads},
		{"a server that hangs", (*watched).hangs},
		{"a catalog that is locked", (*watched).locked},
		{"a server that is killed", (*watched).killed},
		{"a hundred databases", (*watched).manyDatabases},
		{"a pgBouncer that is killed", (*watched).poolKilled},
		{"nothing is left open", (*watched).nothingLeft},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.do(&watched{t, nodes, w.node}) }) {
			return
		}
	}
}

func (w *watched) run(argv ...string) string {
	w.t.Helper()
	return onNode(w.t, w.nodes, w.node.Name, argv...)
}

func (w *watched) sql(text string) string {
	w.t.Helper()
	return w.run("runuser", "-u", "postgres", "--", "psql", "-p", "5499", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", text)
}

func (w *watched) put(path, mode, owner, text string) {
	w.t.Helper()
	_, err := w.nodes.Exec(w.t.Context(), w.node.Name, strings.NewReader(text), "sh", "-c",
		fmt.Sprintf("cat > %[1]s && chown %[3]s %[1]s && chmod %[2]s %[1]s", path, mode, owner))
	if err != nil {
		w.t.Fatal(err)
	}
}

const (
	poolIni = `[databases]
* = host=/var/run/postgresql port=5499
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = 6499
unix_socket_dir =
auth_type = plain
auth_file = /etc/watched/users.txt
stats_users = monitor
pool_mode = transaction
`
	exporterEnvironment = `PG_EXPORTER_URL=postgresql://monitor:watching@127.0.0.1:5499/postgres?sslmode=verify-full&sslrootcert=/etc/watched/server.crt
PG_EXPORTER_PGBOUNCER_URL=postgresql://monitor:watching@127.0.0.1:6499/pgbouncer?sslmode=disable
PG_EXPORTER_CONFIG=builtin,/etc/watched/collectors
`
)

// install makes the cluster, the pool and the exporter.
func (w *watched) install() {
	w.run("mkdir", "-p", "/etc/watched/collectors")
	certificate, key := serverCertificate(w.t)
	w.put("/etc/watched/server.crt", "644", "postgres", certificate)
	w.put("/etc/watched/server.key", "600", "postgres", key)
	w.put("/etc/watched/pgbouncer.ini", "644", "postgres", poolIni)
	w.put("/etc/watched/users.txt", "600", "postgres", `"monitor" "watching"`+"\n")
	w.put("/etc/watched/exporter.env", "600", "root", exporterEnvironment)
	w.put("/etc/watched/collectors/mine.yml", "644", "root", "mine: { query: SELECT 1 AS n, tags: [ cluster ], metrics: [ { n: { usage: GAUGE } } ] }\n")
	w.run("pg_createcluster", "17", "watched", "--port", "5499", "--", "--auth-host=scram-sha-256")
	w.put("/etc/watched/watched.conf", "644", "postgres", `ssl = on
ssl_cert_file = '/etc/watched/server.crt'
ssl_key_file = '/etc/watched/server.key'
shared_preload_libraries = 'pg_stat_statements'
track_functions = 'all'
wal_level = logical
max_connections = 60
client_connection_check_interval = '1s' # whoever holds a lock and goes away gives it back
`)
	w.run("sh", "-c", "echo \"include '/etc/watched/watched.conf'\" >> /etc/postgresql/17/watched/postgresql.conf")
	w.run("pg_ctlcluster", "17", "watched", "start")
	w.sql("CREATE ROLE monitor LOGIN PASSWORD 'watching'")
	w.sql("GRANT pg_monitor TO monitor")
	w.sql("CREATE SCHEMA extensions")
	w.sql("GRANT USAGE ON SCHEMA extensions TO pg_monitor")
	w.sql("CREATE EXTENSION pg_stat_statements SCHEMA extensions")
	w.sql("CREATE DATABASE app")
	w.run("systemd-run", "--unit=watched-pool", "--property=User=postgres", "--property=Restart=no", "pgbouncer", "/etc/watched/pgbouncer.ini")
	binary, err := os.Open(binary)
	if err != nil {
		w.t.Fatal(err)
	}
	defer binary.Close()
	if _, err := w.nodes.Exec(w.t.Context(), w.node.Name, binary, "sh", "-c", "cat > /usr/local/bin/pg_exporter && chmod 755 /usr/local/bin/pg_exporter"); err != nil {
		w.t.Fatal(err)
	}
	w.run("systemd-run", "--unit=watched-exporter", "--property=EnvironmentFile=/etc/watched/exporter.env", "--property=ExecReload=/bin/kill -HUP $MAINPID", "/usr/local/bin/pg_exporter")
	w.until("the exporter answers", func() bool {
		_, _, err := w.ask("9630", "/version", 0)
		return err == nil
	})
}

// serverCertificate gives one for 127.0.0.1 and its key.
func serverCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "watched"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

// ask gets a page of the exporter; a scrape has the limit that Prometheus would give it.
func (w *watched) ask(port, path string, limit time.Duration) (int, string, error) {
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://"+net.JoinHostPort(w.node.Addr.String(), port)+path, nil)
	if err != nil {
		return 0, "", err
	}
	if limit > 0 {
		r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", strconv.FormatFloat(limit.Seconds(), 'f', -1, 64))
	}
	answer, err := (&http.Client{Timeout: time.Minute}).Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// metrics scrapes and gives each series' value.
func (w *watched) metrics(port string) map[string]string {
	w.t.Helper()
	code, text, err := w.ask(port, "/metrics", 5*time.Second)
	if err != nil || code != http.StatusOK {
		w.t.Fatalf("metrics of %s: %d, %v", port, code, err)
	}
	out := map[string]string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			at := strings.LastIndex(line, " ")
			out[line[:at]] = line[at+1:]
		}
	}
	return out
}

// until waits for something that will be so.
func (w *watched) until(what string, so func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !so(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			_, stat, _ := w.ask("9630", "/stat", 0)
			w.t.Fatalf("never: %s\n%s", what, stat)
		}
	}
}

// count tells how many series there are of a metric.
func count(metrics map[string]string, name string) int {
	n := 0
	for series := range metrics {
		if strings.HasPrefix(series, name+"{") {
			n++
		}
	}
	return n
}

// allWork holds that every collector that applies has run without an error.
func (w *watched) allWork() {
	for _, port := range []string{"9630", "9631"} {
		w.until("every collector of "+port+" has run", func() bool {
			ran := 0
			for series, value := range w.metrics(port) {
				if strings.Contains(series, "_exporter_collector_up{") {
					if ran++; value != "1" {
						_, stat, _ := w.ask(port, "/stat", 0)
						w.t.Fatalf("%s is %s\n%s", series, value, stat)
					}
				}
			}
			return ran > 3
		})
	}
	m := w.metrics("9630")
	if m["pg_up"] != "1" || !strings.HasPrefix(m["pg_version"], "17") || m["mine_n"] != "1" || count(m, "pg_query_calls") == 0 || m[`pg_size_bytes{datname="app"}`] == "" {
		w.t.Errorf("up %s, version %s, mine %s, %d queries", m["pg_up"], m["pg_version"], m["mine_n"], count(m, "pg_query_calls"))
	}
	if got := w.sql("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'pg_exporter'"); got != "t" {
		w.t.Errorf("connections with TLS: %q", got)
	}
	if pool := w.metrics("9631"); pool["pgbouncer_up"] != "1" || count(pool, "pgbouncer_pool_active_clients") == 0 {
		w.t.Errorf("pgBouncer is up: %s", pool["pgbouncer_up"])
	}
	if seen := w.run("sh", "-c", "tr '\\0' ' ' < /proc/$(systemctl show -P MainPID watched-exporter)/cmdline"); strings.Contains(seen, "watching") {
		w.t.Errorf("the password is in the process list: %s", seen)
	}
}

func (w *watched) health() {
	for path, want := range map[string]int{"/up": 200, "/primary": 200, "/rw": 200, "/replica": 404, "/ro": 404, "/explain": 200, "/stat": 200} {
		if code, text, err := w.ask("9630", path, 0); code != want || err != nil {
			w.t.Errorf("%s: %d, %v: %s", path, code, err, text)
		}
	}
}

// reloads takes a file that is right and refuses one that is wrong, without losing a count.
func (w *watched) reloads() {
	total := `pg_exporter_collector_total_count{collector="pg_primary_only"}`
	w.until("there is something to lose", func() bool { return number(w.metrics("9630")[total]) >= 3 })
	before := w.metrics("9630")
	w.put("/etc/watched/collectors/mine.yml", "644", "root", "mine: { query: SELECT 2 AS n, tags: [ cluster ], metrics: [ { n: { usage: GAUGE } } ] }\n")
	w.run("systemctl", "reload", "watched-exporter")
	w.until("the new collector runs", func() bool { return w.metrics("9630")["mine_n"] == "2" })
	w.put("/etc/watched/collectors/mine.yml", "644", "root", "mine: { querry: SELECT 3 }\n")
	if code, text, err := w.ask("9630", "/reload", 0); code != 500 || err != nil || !strings.Contains(text, "/etc/watched/collectors/mine.yml:1:9") {
		w.t.Errorf("a bad file: %d, %v: %s", code, err, text)
	}
	after := w.metrics("9630")
	if after["mine_n"] != "2" || number(after[total]) < number(before[total]) {
		w.t.Errorf("mine %s, runs before %s, after %s", after["mine_n"], before[total], after[total])
	}
}

func number(text string) float64 {
	v, _ := strconv.ParseFloat(text, 64)
	return v
}

// hangs stops every process of the server: it takes connections, and never answers.
func (w *watched) hangs() {
	w.run("pkill", "-STOP", "-u", "postgres", "-x", "postgres")
	defer w.run("pkill", "-CONT", "-u", "postgres", "-x", "postgres")
	w.until("the server counts as down while it hangs", func() bool { return w.metrics("9630")["pg_up"] == "0" })
	if code, _, err := w.ask("9630", "/primary", 0); code != 503 || err != nil {
		w.t.Errorf("/primary: %d, %v", code, err)
	}
	if got := w.metrics("9630"); count(got, "pg_db_age") > 0 || number(got["pg_exporter_connections"]) > number(got["pg_exporter_connection_limit"]) {
		w.t.Errorf("%d old series, %s connections", count(got, "pg_db_age"), got["pg_exporter_connections"])
	}
	w.run("pkill", "-CONT", "-u", "postgres", "-x", "postgres")
	w.until("the server is back", func() bool { return w.metrics("9630")["pg_up"] == "1" })
}

// locked locks the catalog for as long as it takes to see that the exporter still answers.
func (w *watched) locked() {
	w.run("systemd-run", "--unit=watched-lock", "--property=User=postgres", "psql", "-p", "5499", "-c",
		"BEGIN; LOCK TABLE pg_catalog.pg_class, pg_catalog.pg_database IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)")
	failing := `pg_exporter_collector_up{collector="pg_table_16"}`
	w.until("a collector meets the lock", func() bool { return w.metrics("9630")[failing] == "0" })
	got := w.metrics("9630")
	if got["pg_up"] != "1" || got["pg_is_in_recovery"] != "0" {
		w.t.Errorf("the server counts as down while its catalog is locked: pg_up %s", got["pg_up"])
	}
	w.run("systemctl", "stop", "watched-lock")
	w.until("the collector works again", func() bool { return w.metrics("9630")[failing] == "1" })
}

func (w *watched) killed() {
	w.run("sh", "-c", "kill -9 $(head -1 /var/lib/postgresql/17/watched/postmaster.pid)")
	w.until("the server counts as down", func() bool { return w.metrics("9630")["pg_up"] == "0" })
	w.until("it can be started", func() bool {
		_, err := w.nodes.Exec(w.t.Context(), w.node.Name, nil, "pg_ctlcluster", "17", "watched", "start")
		return err == nil
	})
	w.until("the server is up and its databases are looked into", func() bool {
		got := w.metrics("9630")
		return got["pg_up"] == "1" && got[`pg_relkind_count{datname="app",relkind="r"}`] != ""
	})
}

func (w *watched) manyDatabases() {
	w.sql("SELECT 1") // ends the test with a better message than the next line would
	const many = 100
	w.run("runuser", "-u", "postgres", "--", "sh", "-c", fmt.Sprintf("for i in $(seq %d); do echo \"CREATE DATABASE many$i STRATEGY file_copy;\"; done | psql -p 5499 -qX -v ON_ERROR_STOP=1", many))
	most := 0
	w.until("every database was looked into", func() bool {
		got := w.metrics("9630")
		open, err := strconv.Atoi(w.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_exporter'"))
		if err != nil {
			w.t.Fatal(err)
		}
		most = max(most, open)
		seen := 0
		for i := range many {
			if got[fmt.Sprintf(`pg_relkind_count{datname="many%d",relkind="r"}`, i+1)] != "" {
				seen++
			}
		}
		return got["pg_up"] == "1" && seen == many
	})
	// One more may be open while another one's farewell is under way.
	if most > 17 {
		w.t.Errorf("%d connections at a time", most)
	}
	w.t.Logf("at most %d connections at a time", most)
	w.run("runuser", "-u", "postgres", "--", "sh", "-c", fmt.Sprintf("for i in $(seq %d); do echo \"DROP DATABASE many$i WITH (FORCE);\"; done | psql -p 5499 -qX -v ON_ERROR_STOP=1", many))
	w.until("the databases are forgotten", func() bool { return w.metrics("9630")["pg_exporter_databases"] == "2" })
}

func (w *watched) poolKilled() {
	w.run("systemctl", "kill", "-s", "KILL", "watched-pool")
	w.until("pgBouncer counts as down", func() bool { return w.metrics("9631")["pgbouncer_up"] == "0" })
	if w.metrics("9630")["pg_up"] != "1" {
		w.t.Error("PostgreSQL counts as down as well")
	}
	w.run("systemctl", "reset-failed", "watched-pool")
	w.run("systemd-run", "--unit=watched-pool", "--property=User=postgres", "pgbouncer", "/etc/watched/pgbouncer.ini")
	w.until("pgBouncer is back", func() bool { return w.metrics("9631")["pgbouncer_up"] == "1" })
}

// nothingLeft holds that after all this no more goroutines and connections are there than in the
// beginning: two servers, two databases.
func (w *watched) nothingLeft() {
	var last map[string]string
	w.until("goroutines and connections are few again", func() bool {
		last = w.metrics("9630")
		return number(last["go_goroutines"]) <= 25 && number(last["process_open_fds"]) <= 25 && number(last["pg_exporter_connections"]) <= 2
	})
	w.t.Logf("%s goroutines, %s files, %s connections, %s bytes", last["go_goroutines"], last["process_open_fds"], last["pg_exporter_connections"], last["process_resident_memory_bytes"])
}

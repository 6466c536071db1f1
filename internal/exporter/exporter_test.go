package exporter

import (
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// nobodyThere is the URL of a server that refuses connections.
func nobodyThere(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprintf("postgres://monitor:hunter2@%s/postgres?sslmode=disable", l.Addr())
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const one = "pg_one: { query: SELECT 1 AS n, tags: [ cluster ], metrics: [ { n: { usage: GAUGE } } ] }\n"

// start makes an exporter of a server that is not there, and serves its first page.
func start(t *testing.T, change ...func(*Options)) (*Exporter, *httptest.Server) {
	t.Helper()
	options := Options{URL: nobodyThere(t), PgbouncerURL: nobodyThere(t), Discover: true, Version: "9.9"}
	for _, c := range change {
		c(&options)
	}
	e, err := New(options, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := loadGuard(options.WebConfig)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(guard.handler(e.pages[0].routes()))
	t.Cleanup(func() { s.Close(); e.Close() })
	return e, s
}

func get(t *testing.T, url string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body io.Reader = answer.Body
	if answer.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestPagesOfAServerThatIsDown(t *testing.T) {
	_, s := start(t)
	get(t, s.URL+"/metrics") // so that it was looked for, whichever page comes first
	for path, want := range map[string]struct {
		code int
		text string
	}{
		"/metrics": {200, "\npg_up 0\n"}, "/up": {503, "down: "}, "/primary": {503, "down: "}, "/replica": {503, "down: "},
		"/explain": {503, "does not answer"}, "/stat": {200, "no connection"}, "/version": {200, "pg_exporter 9.9"},
		"/": {200, "href=\"/metrics\""}, "/reload": {200, "reloaded"}, "/nothing": {404, ""},
	} {
		code, text := get(t, s.URL+path)
		if code != want.code || !strings.Contains(text, want.text) || strings.Contains(text, "hunter2") {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if code, text := get(t, s.URL+"/metrics", "Accept-Encoding", "gzip"); code != 200 || !strings.Contains(text, "go_goroutines") {
		t.Errorf("packed: %d %s", code, text)
	}
}

func TestReloadRefusesAndTakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yml")
	write(t, file, one)
	_, s := start(t, func(o *Options) { o.Config = []string{file} })
	write(t, file, "pg_one: { query: 1, ttl: soon }\n"+"pg_two: {}\n")
	code, text := get(t, s.URL+"/reload")
	if code != 500 || !strings.Contains(text, file+":1:") || !strings.Contains(text, file+":2:1") {
		t.Errorf("a bad file: %d %s", code, text)
	}
	write(t, file, one)
	if code, text := get(t, s.URL+"/reload"); code != 200 {
		t.Errorf("a good file: %d %s", code, text)
	}
	_, text = get(t, s.URL+"/metrics")
	for _, want := range []string{"\npg_exporter_reload_count 1\n", "\npg_exporter_reload_error_count 1\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestDeadline(t *testing.T) {
	p := &page{exporter: &Exporter{options: Options{ScrapeTimeout: 10 * time.Second}}}
	for header, want := range map[string]time.Duration{
		"": 9500 * time.Millisecond, "1": 750 * time.Millisecond, "30": 29500 * time.Millisecond, "-1": 9500 * time.Millisecond, "x": 9500 * time.Millisecond,
	} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", header)
		if got := p.deadline(r); got != want {
			t.Errorf("%q gives %s, want %s", header, got, want)
		}
	}
}

func TestUsersOfTheWebFile(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "web.yml")
	write(t, file, fmt.Sprintf("basic_auth_users: { me: %q }\nhttp_server_config: { headers: { X-Frame-Options: deny } }\n", hash))
	_, s := start(t, func(o *Options) { o.WebConfig = file })
	for auth, want := range map[string]int{"": 401, "me:wrong": 401, "you:right": 401, "me:right": 200} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/version", nil)
		if err != nil {
			t.Fatal(err)
		}
		if user, password, ok := strings.Cut(auth, ":"); ok {
			r.SetBasicAuth(user, password)
		}
		for range 2 { // the second time from memory
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != want || answer.Header.Get("X-Frame-Options") != "deny" {
				t.Errorf("%q gives %d, want %d", auth, answer.StatusCode, want)
			}
		}
	}
}

func TestWebFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "web.yml")
	for text, want := range map[string]string{
		"tls_server_confg: {}":                                   "tls_server_confg",
		"basic_auth_users: { me: plain }":                        "not a bcrypt hash",
		"tls_server_config: { cert_file: none, key_file: none }": "none",
		"rate_limit: 3":                                          "rate_limit",
	} {
		write(t, file, text)
		if _, err := loadGuard(file); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "plain") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// certificate writes a self-signed one and its key into a folder.
func certificate(t *testing.T, dir string, serial int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	write(t, filepath.Join(dir, "cert.pem"), string(text))
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

// free gives an address nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestRunServesBothOverTLS(t *testing.T) {
	dir := t.TempDir()
	pool := certificate(t, dir, 1)
	write(t, filepath.Join(dir, "web.yml"), "tls_server_config: { cert_file: cert.pem, key_file: key.pem }\n")
	options := Options{
		URL: nobodyThere(t), PgbouncerURL: nobodyThere(t), Listen: free(t), PgbouncerListen: free(t), WebConfig: filepath.Join(dir, "web.yml"),
	}
	e, err := New(options, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	ask := func(pool *x509.CertPool, address string) (string, error) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}}
		answer, err := client.Get("https://" + address + "/metrics")
		if err != nil {
			return "", err
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		return string(text), err
	}
	for address, want := range map[string]string{options.Listen: "\npg_up 0\n", options.PgbouncerListen: "\npgbouncer_up 0\n"} {
		text, err := ask(pool, address)
		for range 500 {
			if err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond) // until it listens
			text, err = ask(pool, address)
		}
		if err != nil || !strings.Contains("\n"+text, want) {
			t.Errorf("%s: %v\n%s", address, err, text)
		}
	}
	renewed := certificate(t, dir, 2)
	if _, err := ask(renewed, options.Listen); err != nil {
		t.Errorf("a renewed certificate is not taken: %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestFailFast(t *testing.T) {
	e, err := New(Options{URL: nobodyThere(t), FailFast: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

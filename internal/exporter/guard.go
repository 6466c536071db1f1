package exporter

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"go.yaml.in/yaml/v4"
	"golang.org/x/crypto/bcrypt"
)

// webConfig is what of the web configuration file of Prometheus' exporters is understood; anything
// else in it is refused rather than ignored.
type webConfig struct {
	TLS   *tlsConfig        `yaml:"tls_server_config"`
	Users map[string]string `yaml:"basic_auth_users"`
	HTTP  *struct {
		HTTP2   *bool             `yaml:"http2"`
		Headers map[string]string `yaml:"headers"`
	} `yaml:"http_server_config"`
}

type tlsConfig struct {
	CertFile   string `yaml:"cert_file"`
	KeyFile    string `yaml:"key_file"`
	ClientAuth string `yaml:"client_auth_type"`
	ClientCA   string `yaml:"client_ca_file"`
	MinVersion string `yaml:"min_version"`
	MaxVersion string `yaml:"max_version"`
}

// guard says who may ask, and over what.
type guard struct {
	tls     *tls.Config // nil = plain
	users   map[string]string
	headers map[string]string

	mu    sync.Mutex
	known map[[32]byte]bool // digests of what was right: bcrypt is slow on purpose
}

// loadGuard reads a web configuration file; without one everybody may ask.
func loadGuard(path string) (*guard, error) {
	g := &guard{known: map[[32]byte]bool{}}
	if path == "" {
		return g, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the web configuration: %w", err)
	}
	var c webConfig
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for user, hash := range c.Users {
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			return nil, fmt.Errorf("%s: the password of user %s is not a bcrypt hash; htpasswd -nB makes one", path, user)
		}
	}
	g.users = c.Users
	if c.HTTP != nil {
		g.headers = c.HTTP.Headers
	}
	if c.TLS != nil {
		if g.tls, err = c.TLS.load(filepath.Dir(path)); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return g, nil
}

var tlsVersions = map[string]uint16{"": 0, "TLS10": tls.VersionTLS10, "TLS11": tls.VersionTLS11, "TLS12": tls.VersionTLS12, "TLS13": tls.VersionTLS13}

var clientAuths = map[string]tls.ClientAuthType{
	"": tls.NoClientCert, "NoClientCert": tls.NoClientCert, "RequestClientCert": tls.RequestClientCert,
	"RequireAnyClientCert": tls.RequireAnyClientCert, "RequireClientCert": tls.RequireAnyClientCert,
	"VerifyClientCertIfGiven": tls.VerifyClientCertIfGiven, "RequireAndVerifyClientCert": tls.RequireAndVerifyClientCert,
}

func (c *tlsConfig) load(dir string) (*tls.Config, error) {
	at := func(name string) string {
		if name == "" || filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(dir, name)
	}
	cert, key := at(c.CertFile), at(c.KeyFile)
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		return nil, fmt.Errorf("tls_server_config: %w", err)
	}
	lowest, ok1 := tlsVersions[c.MinVersion]
	highest, ok2 := tlsVersions[c.MaxVersion]
	if !ok1 || !ok2 {
		return nil, errors.New("tls_server_config: min_version and max_version are one of TLS10, TLS11, TLS12, TLS13")
	}
	if lowest == 0 {
		lowest = tls.VersionTLS12
	}
	out := &tls.Config{MinVersion: lowest, MaxVersion: highest}
	// Read at every handshake: a renewed certificate is taken without a restart.
	out.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		return &pair, err
	}
	var known bool
	if out.ClientAuth, known = clientAuths[c.ClientAuth]; !known {
		return nil, fmt.Errorf("tls_server_config: there is no client_auth_type %q", c.ClientAuth)
	}
	if c.ClientCA != "" {
		pem, err := os.ReadFile(at(c.ClientCA))
		if err != nil {
			return nil, fmt.Errorf("tls_server_config: %w", err)
		}
		out.ClientCAs = x509.NewCertPool()
		if !out.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls_server_config: there is no certificate in %s", at(c.ClientCA))
		}
		if out.ClientAuth == tls.NoClientCert {
			out.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
	return out, nil
}

// listener puts TLS over a listener where it is asked for.
func (g *guard) listener(l net.Listener) net.Listener {
	if g.tls == nil {
		return l
	}
	return tls.NewListener(l, g.tls)
}

// handler lets in whom the file names.
func (g *guard) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range g.headers {
			w.Header().Set(name, value)
		}
		if len(g.users) > 0 {
			user, password, _ := r.BasicAuth()
			if !g.right(user, password) {
				w.Header().Set("WWW-Authenticate", "Basic")
				http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// nobody is compared with where there is no such user, so that it takes as long.
const nobody = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"

func (g *guard) right(user, password string) bool {
	hash, exists := g.users[user]
	if !exists {
		hash = nobody
	}
	digest := sha256.Sum256([]byte(user + "\x00" + hash + "\x00" + password))
	g.mu.Lock()
	defer g.mu.Unlock() // one comparison at a time: a flood of wrong passwords costs one core at most
	if g.known[digest] {
		return true
	}
	right := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
	if right = right && subtle.ConstantTimeCompare([]byte(hash), []byte(nobody)) == 0; right {
		g.known[digest] = true
	}
	return right
}

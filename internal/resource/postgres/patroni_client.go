package postgres

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"pigsty/internal/patroni"
	"pigsty/internal/resource"
)

// PatroniAPI says how to reach the REST API of a Patroni member. The same credentials serve
// every member of the cluster.
type PatroniAPI struct {
	URL string `json:"url"` // such as "https://10.10.10.11:8008"
	// CA, Cert and Key are PEM files on the node: the authority that signed the servers'
	// certificates (empty = those the system trusts), and a client certificate with its key
	// where the API asks for one.
	CA   string `json:"ca,omitempty"`
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
	// User and Password are those of restapi.authentication; reading needs none.
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"` // secret: never shown
}

// Patroni speaks to the REST API of one member.
type Patroni struct {
	api  PatroniAPI
	http *http.Client
}

// patroniPatience is how long to wait for an answer to a question. A member asks PostgreSQL and
// the DCS before it answers some.
const patroniPatience = 15 * time.Second

// errNoPatroni means that nothing answers at the member's address.
var errNoPatroni = errors.New("Patroni does not answer")

// Open prepares to speak to the member. Its certificates are read from this host's files; they
// not being there yet shows as errNoPatroni.
func (api PatroniAPI) Open(h *resource.Host) (*Patroni, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if api.CA != "" {
		pem, err := os.ReadFile(h.Path(api.CA))
		if err != nil {
			return nil, missingFile(err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", api.CA)
		}
	}
	if api.Cert != "" {
		pair, err := tls.LoadX509KeyPair(h.Path(api.Cert), h.Path(api.Key))
		if err != nil {
			return nil, missingFile(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &Patroni{api: api, http: &http.Client{Transport: patroni.Transport(config, h.Dial)}}, nil
}

func missingFile(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", errNoPatroni, err)
	}
	return err
}

// At is a client for another member of the cluster, by the API address that Patroni tells.
func (p *Patroni) At(url string) *Patroni {
	other := *p
	other.api.URL = strings.TrimSuffix(url, "/patroni")
	return &other
}

// PatroniError is an answer by which a member refuses or reports a failure.
type PatroniError struct {
	Doing  string // what was asked for, such as "restart PostgreSQL"
	URL    string
	Status int
	Text   string // the answer
}

func (e *PatroniError) Error() string {
	text := fmt.Sprintf("%s at %s: Patroni answers %d", e.Doing, e.URL, e.Status)
	if e.Text != "" && !strings.HasPrefix(e.Text, "<") { // a web page says no more than the number
		text += ": " + e.Text
	}
	if e.Status == http.StatusUnauthorized {
		text += "; the user or password of its API differs from patroni_username and patroni_password"
	}
	return text
}

// call sends a request with an optional JSON body and returns the answer's body.
func (p *Patroni) call(ctx context.Context, doing, method, path string, body any) ([]byte, error) {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(p.api.URL, "/")+path, payload)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if p.api.User != "" && method != http.MethodGet {
		request.SetBasicAuth(p.api.User, p.api.Password)
	}
	response, err := p.http.Do(request)
	if err != nil {
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			return nil, fmt.Errorf("%s: %w: %w", doing, errNoPatroni, err)
		}
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return answer, &PatroniError{Doing: doing, URL: p.api.URL, Status: response.StatusCode, Text: strings.TrimSpace(string(answer))}
	}
	return answer, nil
}

// ask is call for questions: the answer is JSON, and comes soon.
func (p *Patroni) ask(ctx context.Context, doing, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, patroniPatience)
	defer cancel()
	answer, err := p.call(ctx, doing, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	// Numbers keep their spelling, so that settings compare as they were written.
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s: answer of %s: %w", doing, p.api.URL, err)
	}
	return nil
}

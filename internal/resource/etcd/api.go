// Package etcd holds the kinds of resources of an etcd cluster on its members' nodes: data, who is
// a member and who may log in. It speaks to etcd through the JSON gateway that members serve.
package etcd

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"pigsty/internal/resource"
)

// API says how to reach an etcd cluster through the JSON gateway that every member serves on
// its client port.
//
// The client certificate must have no common name: once authentication is on, the gateway
// answers a request whose certificate has one with status 400, even when it carries a token
// (seen on etcd 3.4.23 and 3.5.16).
type API struct {
	Endpoints []string `json:"endpoints"` // such as "https://127.0.0.1:2379", tried in this order
	CA        string   `json:"ca"`        // PEM files on the node
	Cert      string   `json:"cert"`
	Key       string   `json:"key"`
	// Password is that of user root, which is tried when a request needs a user.
	Password string `json:"password,omitempty" secret:"true"`
}

// requestTimeout is for one request. A member without quorum answers after its own seven seconds.
const requestTimeout = 10 * time.Second

// connectTimeout is for a connection and its handshake, each. A member that waits for a quorum
// listens already, and lets handshakes hang.
const connectTimeout = 2 * time.Second

// apiClient is an open way to the cluster.
type apiClient struct {
	api   API
	http  *http.Client
	token string // of user root, once logged in

	former   string // the password that root had when an apply last looked, if known here
	outdated bool   // that one served to log in
}

// apiError is what a member answered instead of a result.
type apiError struct {
	Code    int    `json:"code"` // gRPC's; the HTTP status differs between versions
	Message string `json:"message"`
}

func (e *apiError) Error() string { return "etcd answers: " + e.Message }

// says tells whether the error is an answer of etcd with the given text in it.
func says(err error, text string) bool {
	var e *apiError
	return errors.As(err, &e) && strings.Contains(e.Message, text)
}

// open reads the certificates. The error is fs.ErrNotExist before the step that brings them.
func (a API) open(h *resource.Host) (*apiClient, error) {
	ca, err := os.ReadFile(h.Path(a.CA))
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(h.Path(a.Cert), h.Path(a.Key))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", a.CA)
	}
	dial := h.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: connectTimeout}).DialContext
	}
	transport := &http.Transport{
		DialContext:         dial,
		TLSHandshakeTimeout: connectTimeout,
		TLSClientConfig:     &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}},
	}
	return &apiClient{former: keptRoot(h), api: a, http: &http.Client{Transport: transport, Timeout: requestTimeout}}, nil
}

func (c *apiClient) close() { c.http.CloseIdleConnections() }

// tokenPatience is how long a token that was just given may be unknown to another member: it comes
// to know it from the log, like any write.
const tokenPatience = 5 * time.Second

// call asks the cluster, as root where etcd wants a user.
func (c *apiClient) call(ctx context.Context, path string, question, answer any) error {
	err := c.ask(ctx, path, c.token, question, answer)
	// Of keys, etcd says to a stranger that he may not; of everything else, that he has no name.
	stranger := says(err, "user name is empty") || c.token == "" && says(err, "permission denied")
	if !stranger && !says(err, "invalid auth token") {
		return err
	}
	if c.token, err = c.loginRoot(ctx); err != nil {
		return explainRoot(err)
	}
	unknown := func(err error) bool { return says(err, "invalid auth token") }
	return untilDone(ctx, tokenPatience, unknown, func() error { return c.ask(ctx, path, c.token, question, answer) })
}

// explainRoot says what to do when the password of root is not the one that etcd knows.
func explainRoot(err error) error {
	if !says(err, "authentication failed") {
		return err
	}
	return fmt.Errorf("log in to etcd as root: %w; set etcd_root_password to the password that is in force", err)
}

// login returns a token. No old one is sent with it: 3.4 refuses to look further.
func (c *apiClient) login(ctx context.Context, user, password string) (string, error) {
	var answer struct{ Token string }
	err := c.ask(ctx, "/v3/auth/authenticate", "", map[string]string{"name": user, "password": password}, &answer)
	return answer.Token, err
}

// electionPatience is how long etcd may be without a leader: by default one is elected a second or
// two after the last was heard of.
const electionPatience = 5 * time.Second

// electing tells whether etcd could not do as asked because its leader changed meanwhile.
func electing(err error) bool {
	return says(err, "leader changed") || says(err, "no leader") || says(err, "proposal dropped")
}

// ask puts one question to the cluster, again if it is just electing its leader.
func (c *apiClient) ask(ctx context.Context, path, token string, question, answer any) error {
	return untilDone(ctx, electionPatience, electing, func() error { return c.askOnce(ctx, path, token, question, answer) })
}

// askOnce puts one question to the first member that can be reached. Every question can be put
// twice, so a connection that breaks half-way is no obstacle to trying the next.
func (c *apiClient) askOnce(ctx context.Context, path, token string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	err = errors.New("no endpoint is known")
	for _, endpoint := range c.api.Endpoints {
		var request *http.Request
		request, err = http.NewRequestWithContext(ctx, http.MethodPost, endpoint+path, bytes.NewReader(body))
		if err != nil {
			return err
		}
		if token != "" {
			request.Header.Set("Authorization", token)
		}
		var text []byte
		var said *apiError
		if text, err = c.do(request); err == nil {
			return json.Unmarshal(text, answer)
		}
		if errors.As(err, &said) && said.Code != codeUnavailable {
			return err
		}
	}
	return fmt.Errorf("ask etcd: %w", err)
}

// clusterID identifies the cluster that the first of the endpoints serves. Nobody has to log in for
// it.
func (c *apiClient) clusterID(ctx context.Context) (string, error) {
	var answer struct {
		Header struct {
			Cluster string `json:"cluster_id"`
		}
	}
	err := c.ask(ctx, "/v3/maintenance/status", "", struct{}{}, &answer)
	return answer.Header.Cluster, err
}

// codeUnavailable is gRPC's code for a member that cannot serve, such as a learner, or one
// without a leader; another member may.
const codeUnavailable = 14

// momentary tells whether the same request may succeed later: nobody was reached, or who was could
// not serve.
func momentary(err error) bool {
	var said *apiError
	return !errors.As(err, &said) || said.Code == codeUnavailable
}

// do returns the body of a good answer.
func (c *apiClient) do(request *http.Request) ([]byte, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return text, nil
	}
	said := &apiError{}
	if json.Unmarshal(text, said) != nil || said.Message == "" {
		said.Message = fmt.Sprintf("%s: %s", response.Status, strings.TrimSpace(string(text)))
	}
	return nil, said
}

package etcd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pigsty/internal/resource"
)

// fakeEtcd answers with what etcd 3.4.23 and 3.5.16 were recorded to answer; a question without an answer
// fails the test.
type fakeEtcd struct {
	url     string
	api     API
	answers map[string]string // path, or path and body → answer; one that starts with "!" is an error
	asked   []string
	behind  int // how often a token is not known yet

	noted func(question string) // told of each question before it is answered; may change answers
}

const (
	twoMembers = `{"header":{"cluster_id":"17460345443983284483", "raft_term":"2"}, "members":[` +
		`{"ID":"1439054925181548791", "name":"etcd-1", "peerURLs":["https://10.10.10.10:2380"], "clientURLs":["{here}"]}, ` +
		`{"ID":"5980570404695491720", "name":"etcd-2", "peerURLs":["https://10.10.10.11:2380"], "clientURLs":["https://127.0.0.1:1"]}]}`
	oneLearner = `{"members":[{"ID":"1439054925181548791", "name":"etcd-1", "peerURLs":["https://10.10.10.10:2380"], "clientURLs":["{here}"]}, ` +
		`{"ID":"5980570404695491720", "name":"etcd-2", "peerURLs":["https://10.10.10.11:2380"], "clientURLs":["{here}"], "isLearner":true}]}`
	peerList = `[{"id":1439054925181548791,"peerURLs":["https://10.10.10.10:2380"],"name":"etcd-1","clientURLs":["{here}"]},` +
		`{"id":5980570404695491720,"peerURLs":["https://10.10.10.11:2380"],"name":"etcd-2","clientURLs":["https://127.0.0.1:1"]}]`
	peerListToStart = `[{"id":1439054925181548791,"peerURLs":["https://10.10.10.10:2380"],"name":"etcd-1","clientURLs":["{here}"]},` +
		`{"id":7202134568129382513,"peerURLs":["https://10.10.10.11:2380"],"isLearner":true}]`
	nothing      = `{"header":{"cluster_id":"17460345443983284483"}}`
	healthy      = `{"health":"true","reason":""}`
	needsUser    = `!{"code":3, "message":"etcdserver: user name is empty"}`
	wrongWord    = `!{"code":3, "message":"etcdserver: authentication failed, invalid user ID or password"}`
	noSuchRole   = `!{"error":"etcdserver: role name not found","message":"etcdserver: role name not found","code":9}`
	metricsAt8   = "# TYPE etcd_debugging_auth_revision gauge\netcd_debugging_auth_revision 8\n"
	rootsToken   = `{"header":{"raft_term":"2"}, "token":"zgOFafmpdYLLWBEh.28"}`
	onlyRootUser = `{"users":["root"]}`
)

func newFakeEtcd(t *testing.T, h *resource.Host, answers map[string]string) *fakeEtcd {
	t.Helper()
	f := &fakeEtcd{answers: answers}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serve(t, w, r) }))
	t.Cleanup(server.Close)
	f.url = server.URL
	f.api = API{Endpoints: []string{server.URL}, CA: "/ca.crt", Cert: "/c.crt", Key: "/c.key", Password: "rootpw"}
	putPEM(t, h, "/ca.crt", "CERTIFICATE", server.Certificate().Raw)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	putPEM(t, h, "/c.crt", "CERTIFICATE", cert)
	putPEM(t, h, "/c.key", "PRIVATE KEY", der)
	return f
}

func putPEM(t *testing.T, h *resource.Host, path, kind string, der []byte) {
	t.Helper()
	put(t, h, path, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
}

func put(t *testing.T, h *resource.Host, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.Path(path)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.Path(path), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (f *fakeEtcd) serve(t *testing.T, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/v3"), "/")
	f.asked = append(f.asked, strings.TrimSpace(path+" "+string(body)))
	if f.noted != nil {
		f.noted(path)
	}
	if r.Header.Get("Authorization") != "" && f.behind > 0 {
		f.behind--
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"code":16, "message":"etcdserver: invalid auth token"}`)
		return
	}
	answer, ok := "", false
	for _, key := range []string{path + " " + string(body), path + " +token", path} {
		if strings.HasSuffix(key, "+token") && r.Header.Get("Authorization") == "" {
			continue
		}
		if answer, ok = f.answers[key]; ok {
			break
		}
	}
	if !ok {
		t.Errorf("unexpected question %s %s", path, body)
	}
	if message, isError := strings.CutPrefix(answer, "!"); isError {
		w.WriteHeader(http.StatusBadRequest)
		answer = message
	}
	io.WriteString(w, strings.ReplaceAll(answer, "{here}", f.url))
}

// changed are the questions that change the cluster.
func (f *fakeEtcd) changed() []string {
	var out []string
	for _, q := range f.asked {
		for _, verb := range []string{"/add", "/remove", "/promote", "/changepw", "/grant", "/enable"} {
			if path, _, _ := strings.Cut(q, " "); strings.HasSuffix(path, verb) {
				out = append(out, q)
			}
		}
	}
	return out
}

package etcd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"pigsty/internal/resource"
)

// receiptFile remembers what the last apply left behind, readable by root alone. Losing it
// costs time, nothing else.
const receiptFile = "/var/lib/pigsty/etcd-access.json"

// receipt says that the users were as wanted at one revision of etcd's own books. etcd
// counts every change to users, passwords and roles, whoever makes it, and shows the count among
// its metrics without a login. So a converged cluster is seen to be so by one request, where
// trying each password would cost its members 80 ms of processor each.
type receipt struct {
	Revision string `json:"revision"`
	Salt     []byte `json:"salt"`
	Digest   []byte `json:"digest"` // of everything wanted, passwords included, under the salt
}

func readReceipt(h *resource.Host) receipt {
	var r receipt
	text, err := os.ReadFile(h.Path(receiptFile))
	if err != nil || json.Unmarshal(text, &r) != nil {
		return receipt{}
	}
	return r
}

// fits tells whether everything still is as it was left, and that is what is wanted.
func (r receipt) fits(a *Access, revision string) bool {
	return r.Revision != "" && r.Revision == revision && hmac.Equal(r.Digest, a.digest(r.Salt))
}

// digest is of what is wanted; the endpoints do not matter.
func (a *Access) digest(salt []byte) []byte {
	h := hmac.New(sha256.New, salt)
	// Encoding plain text into a hash cannot fail.
	_ = json.NewEncoder(h).Encode([]any{a.API.Password, a.Users})
	return h.Sum(nil)
}

func (a *Access) writeReceipt(ctx context.Context, h *resource.Host, client *apiClient) error {
	revision, err := client.authRevision(ctx)
	if err != nil {
		return err
	}
	salt := make([]byte, 16)
	rand.Read(salt) // never fails, by its contract
	text, err := json.Marshal(receipt{revision, salt, a.digest(salt)})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(h.Path(receiptFile)), 0o755); err != nil {
		return err
	}
	return h.WriteFile(receiptFile, text, 0o600)
}

// authRevision reads the count off the metrics of the first endpoint that answers. It is empty
// where the metric is missing; then no receipt fits, and everything is looked at.
func (c *apiClient) authRevision(ctx context.Context) (string, error) {
	err := errors.New("no endpoint is known")
	for _, endpoint := range c.api.Endpoints {
		var request *http.Request
		request, err = http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/metrics", nil)
		if err != nil {
			return "", err
		}
		var text []byte
		if text, err = c.do(request); err != nil {
			continue
		}
		lines := bufio.NewScanner(bytes.NewReader(text))
		for lines.Scan() {
			if revision, found := strings.CutPrefix(lines.Text(), "etcd_debugging_auth_revision "); found {
				return revision, nil
			}
		}
		return "", lines.Err()
	}
	return "", err
}

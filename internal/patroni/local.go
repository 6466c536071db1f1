package patroni

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxAnswer bounds what is read of an answer, in bytes. The longest, the history of a cluster
// after a thousand failovers, is under 100 kB.
const maxAnswer = 4 << 20

// Local is the API of the member on this node, for whoever only looks. The address is the
// loopback one, so there is nobody to be deceived by and the certificate is not verified; the API
// speaks plain HTTP where TLS is off.
type Local struct {
	port int
	http *http.Client
}

// NewLocal prepares to ask the member whose API listens on the port. An answer that takes longer
// than patience is given up.
func NewLocal(port int, patience time.Duration) *Local {
	return &Local{port: port, http: &http.Client{
		Timeout:   patience,
		Transport: Transport(&tls.Config{InsecureSkipVerify: true}, nil),
	}}
}

// Get decodes the answer to a path, such as "/cluster", whatever its status code: a replica or a
// member that has stopped answers 503 and tells its state all the same.
func (l *Local) Get(ctx context.Context, path string, into any) error {
	var failed error
	for _, scheme := range []string{"https", "http"} {
		err := l.get(ctx, fmt.Sprintf("%s://127.0.0.1:%d%s", scheme, l.port, path), into)
		if err == nil {
			return nil
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

func (l *Local) get(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := l.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(into)
}

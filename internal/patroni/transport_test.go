package patroni

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// acknowledgesAtOnce asks the kernel.
func acknowledgesAtOnce(t *testing.T, c *promptConn) bool {
	t.Helper()
	var value int
	var failed error
	if err := c.raw.Control(func(fd uintptr) {
		value, failed = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK)
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return value == 1
}

func TestConnectionsAcknowledgeAtOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		server, err := listener.Accept()
		if err != nil {
			return
		}
		defer server.Close()
		buffer := make([]byte, 1)
		for {
			if _, err := server.Read(buffer); err != nil {
				return
			}
			if _, err := server.Write(buffer); err != nil {
				return
			}
		}
	}()
	conn, err := Transport(nil, nil).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	prompt, ok := conn.(*promptConn)
	if !ok {
		t.Fatalf("the transport gives a %T", conn)
	}
	// Taking turns is what makes the kernel delay.
	for turn := range 20 {
		if _, err := conn.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		if !acknowledgesAtOnce(t, prompt) {
			t.Fatalf("turn %d: the acknowledgement of the answer would be delayed", turn)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
}

// A member that does not run answers 503, and an API may have no TLS: both tell their state.
func TestLocalTakesWhatTheMemberSays(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = json.NewEncoder(w).Encode(map[string]string{"path": r.URL.Path})
	})
	for name, server := range map[string]*httptest.Server{
		"TLS": httptest.NewTLSServer(handler), "plain": httptest.NewServer(handler),
	} {
		t.Run(name, func(t *testing.T) {
			defer server.Close()
			address, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			port, err := strconv.Atoi(address.Port())
			if err != nil {
				t.Fatal(err)
			}
			var answer struct{ Path string }
			if err := NewLocal(port, 10*time.Second).Get(t.Context(), "/patroni", &answer); err != nil || answer.Path != "/patroni" {
				t.Errorf("answer %+v, error %v", answer, err)
			}
		})
	}
	if err := NewLocal(1, time.Second).Get(t.Context(), "/patroni", new(any)); err == nil {
		t.Error("nobody listens, and no error says so")
	}
}

package resource_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"pigsty/internal/resource"
)

func TestWait(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	h := newNode(t)
	h.Dial = nil
	w := &resource.Wait{ID: "patroni", TCP: addr, Timeout: 300 * time.Millisecond}
	quiet(t, h, w)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if c := diff(t, h, w); c == nil || c.Action != resource.Run {
		t.Errorf("change %+v", c)
	}
	if err := w.Apply(context.Background(), h); err == nil || !strings.Contains(err.Error(), "patroni does not answer on "+addr+" after 300ms") {
		t.Errorf("error %v", err)
	}
	w.Timeout = 10 * time.Second
	go func() {
		time.Sleep(300 * time.Millisecond)
		if again, err := net.Listen("tcp", addr); err == nil {
			t.Cleanup(func() { again.Close() })
		}
	}()
	if err := w.Apply(context.Background(), h); err != nil {
		t.Error(err)
	}
}

package resource

import (
	"context"
	"fmt"
	"net"
	"time"
)

var (
	_ Waiter = (*Wait)(nil)
	_        = Register(func() Resource { return &Wait{} })
)

// Wait holds the steps after it until a TCP port answers.
type Wait struct {
	ID      string        `json:"id"`      // what is waited for, such as "patroni"
	TCP     string        `json:"tcp"`     // address, such as "127.0.0.1:8008"
	Timeout time.Duration `json:"timeout"` // 0 = one minute
}

const (
	waitDefault = time.Minute
	waitPause   = 200 * time.Millisecond
	dialTimeout = time.Second
)

func (w *Wait) Kind() string { return "wait" }
func (w *Wait) Name() string { return w.ID }

func (w *Wait) timeout() time.Duration {
	if w.Timeout == 0 {
		return waitDefault
	}
	return w.Timeout
}

// Diff is a change when nothing answers now.
func (w *Wait) Diff(ctx context.Context, h *Host) (*Change, error) {
	if h.dial(ctx, w.TCP) == nil {
		return nil, nil
	}
	return &Change{Action: Run, Fields: []Field{{Name: "port", Before: "no answer", After: w.TCP + " answers"}}}, nil
}

// dial tells whether something accepts connections.
func (h *Host) dial(ctx context.Context, addr string) error {
	dial := h.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

// Waits marks the kind.
func (w *Wait) Waits() {}

// Apply waits.
func (w *Wait) Apply(ctx context.Context, h *Host) error {
	deadline := time.Now().Add(w.timeout())
	for {
		err := h.dial(ctx, w.TCP)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not answer on %s after %s: %w", w.ID, w.TCP, w.timeout(), err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(waitPause):
		}
	}
}

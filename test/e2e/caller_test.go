//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// caller opens a new connection ten times a second, asks one question and hangs up: what a
// service owes to those who come, as the book shows what it owes to those who stay.
type caller struct {
	stop context.CancelFunc
	done sync.WaitGroup

	turn sync.Mutex // held during a call

	mu     sync.Mutex
	target string
	calls  int
	failed []string // since the last look
}

// startCaller calls until the test ends.
func startCaller(t *testing.T, target string) *caller {
	ctx, stop := context.WithCancel(context.Background())
	c := &caller{stop: stop, target: target}
	c.done.Go(func() {
		for ctx.Err() == nil {
			c.call(ctx)
			time.Sleep(100 * time.Millisecond)
		}
	})
	t.Cleanup(c.end)
	return c
}

// end stops the caller; it may be called again.
func (c *caller) end() {
	c.stop()
	c.done.Wait()
}

// move has the caller call somewhere else.
func (c *caller) move(target string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.target = target
}

func (c *caller) call(ctx context.Context) {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.mu.Lock()
	target := c.target
	c.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	err := ask(limited, target)
	if ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if err != nil {
		c.failed = append(c.failed, fmt.Sprintf("%s %v", time.Now().Format("15:04:05.000"), err))
	}
}

func ask(ctx context.Context, target string) error {
	conn, err := pgx.Connect(ctx, target)
	if err != nil {
		return err
	}
	var one int
	err = conn.QueryRow(ctx, "SELECT 1", pgx.QueryExecModeSimpleProtocol).Scan(&one)
	return errors.Join(err, conn.Close(ctx))
}

// callLimit is how long a call may take. One to an address that moves away may get no answer at all.
const callLimit = 10 * time.Second

// look returns the calls so far, and those that failed since the last look. It waits for the call that
// is under way: how that fares belongs to what was done before.
func (c *caller) look() (calls int, failed []string) {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	failed, c.failed = c.failed, nil
	return c.calls, failed
}

package agent

import (
	"bytes"
	"io"
	"sync"
)

// outbox writes in the background what it is given, in order. On a connection whose other end
// is gone without a word a write may wait for ever, and an agent must come to its end all the
// same.
type outbox struct {
	w io.Writer

	mu      sync.Mutex
	changed *sync.Cond
	queue   [][]byte // the first is being written
	closed  bool
	err     error // why nothing more is written
}

func newOutbox(w io.Writer) *outbox {
	o := &outbox{w: w}
	o.changed = sync.NewCond(&o.mu)
	go o.run()
	return o
}

// Write queues the bytes, or tells why earlier ones could not be written.
func (o *outbox) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	o.queue = append(o.queue, bytes.Clone(p))
	o.changed.Broadcast()
	return len(p), nil
}

func (o *outbox) run() {
	for {
		p := o.next()
		if p == nil {
			return
		}
		_, err := o.w.Write(p)
		o.written(err)
	}
}

// next waits for something to write; nil when there will be nothing more.
func (o *outbox) next() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == 0 && !o.closed && o.err == nil {
		o.changed.Wait()
	}
	if len(o.queue) == 0 {
		return nil
	}
	return o.queue[0]
}

func (o *outbox) written(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return // abandoned meanwhile
	}
	o.queue, o.err = o.queue[1:], err
	if err != nil {
		o.queue = nil
	}
	o.changed.Broadcast()
}

// abandon gives up what is not written yet, and everything after it, for the reason given.
func (o *outbox) abandon(reason error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue, o.err = nil, reason
	o.changed.Broadcast()
}

// close waits until all is written, or cannot be.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.changed.Broadcast()
	for len(o.queue) > 0 {
		o.changed.Wait()
	}
}

package agent

import (
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// silence is the time between two looks at whether the controller was heard of. It is given up
// at the second look in vain: a node that was frozen has what it was sent still to read at the
// first.
const silence = 30 * time.Second

// errSilent is the end of an agent whose controller's host has died or is cut off.
var errSilent = errors.New("nothing was heard of the controller for a minute")

// listener notes that something was read, if only a part of a large frame.
type listener struct {
	io.Reader
	heard atomic.Bool
}

func (l *listener) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if n > 0 {
		l.heard.Store(true)
	}
	return n, err
}

// watch closes silent when the controller has not been heard of for two periods. A connection
// whose other end has died without a word may stay open for as long as sshd keeps it.
func (s *server) watch(done <-chan struct{}, silent chan<- struct{}) {
	look := time.NewTicker(silence)
	defer look.Stop()
	for missed := 0; missed < 2; {
		select {
		case <-done:
			return
		case <-look.C:
		}
		missed++
		if s.in.heard.Swap(false) {
			missed = 0
		}
	}
	s.out.abandon(errSilent) // who does not write does not read either
	s.abandon()
	close(silent)
}

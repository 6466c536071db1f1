package server

import (
	"context"
	"slices"
	"sync"
	"time"
)

// reopenEvery is how often a connection may be closed to make room for one to another database.
// Opening one costs the server some milliseconds; with more databases than connections this bounds
// what that adds up to, and the databases are visited one after the other.
const reopenEvery = 500 * time.Millisecond

// pool bounds the connections and keeps those that are not in use, one for each database at most.
// Who has to wait for one waits in line.
type pool struct {
	max int

	mu     sync.Mutex
	open   int
	idle   []kept // least recently used first
	line   []chan struct{}
	reopen time.Time   // when the next connection may make room for another
	later  *time.Timer // serves the line then
}

type kept struct {
	database string
	session  *session
}

func newPool(size int) *pool { return &pool{max: size} }

// take gives the connection to a database, or nil for the permission to open one. Whoever has
// either gives it back by put or drop.
func (p *pool) take(ctx context.Context, database string) (*session, error) {
	p.mu.Lock()
	if i := slices.IndexFunc(p.idle, func(k kept) bool { return k.database == database }); i >= 0 {
		s := p.idle[i].session
		p.idle = slices.Delete(p.idle, i, i+1)
		p.mu.Unlock()
		return s, nil
	}
	turn := make(chan struct{})
	p.line = append(p.line, turn)
	p.serve()
	p.mu.Unlock()
	select {
	case <-turn:
		return nil, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.line, turn); i >= 0 {
		p.line = slices.Delete(p.line, i, i+1)
	} else { // it came just now
		p.open--
		p.serve()
	}
	return nil, ctx.Err()
}

// serve lets in those who are first in line, as long as there is room; with the lock held.
func (p *pool) serve() {
	for len(p.line) > 0 {
		switch wait := time.Until(p.reopen); {
		case p.open < p.max:
			p.open++
		case len(p.idle) == 0:
			return
		case wait > 0:
			p.serveIn(wait)
			return
		default:
			p.reopen = time.Now().Add(reopenEvery)
			go p.idle[0].session.close() // its farewell is not worth waiting for
			p.idle = slices.Delete(p.idle, 0, 1)
		}
		close(p.line[0])
		p.line = p.line[1:]
	}
}

func (p *pool) serveIn(wait time.Duration) {
	if p.later != nil {
		p.later.Stop()
	}
	p.later = time.AfterFunc(wait, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.serve()
	})
}

// put gives a connection back for later.
func (p *pool) put(database string, s *session) {
	if s.closed() {
		p.drop()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, kept{database, s})
	p.serve()
}

// drop says that a connection is closed, or was not opened.
func (p *pool) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	p.serve()
}

// reap closes connections for which unwanted is true.
func (p *pool) reap(unwanted func(kept) bool) {
	p.mu.Lock()
	var out []kept
	p.idle = slices.DeleteFunc(p.idle, func(k kept) bool {
		if unwanted(k) {
			out = append(out, k)
			return true
		}
		return false
	})
	p.open -= len(out)
	p.serve()
	p.mu.Unlock()
	for _, k := range out {
		k.session.close()
	}
}

// size is how many connections there are.
func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

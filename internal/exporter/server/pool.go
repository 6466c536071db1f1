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
type pool struct {
	max int

	mu      sync.Mutex
	open    int
	idle    []kept        // least recently used first
	changed chan struct{} // closed when there may be room
	reopen  time.Time     // when the next connection may make room for another
}

type kept struct {
	database string
	session  *session
}

func newPool(size int) *pool { return &pool{max: size, changed: make(chan struct{})} }

// take gives the connection to a database, or nil for the permission to open one. Whoever has
// either gives it back by put or drop.
func (p *pool) take(ctx context.Context, database string) (*session, error) {
	for {
		s, wait, ok := p.try(database)
		if ok {
			return s, nil
		}
		timer := time.NewTimer(reopenEvery)
		select {
		case <-wait:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
		timer.Stop()
	}
}

func (p *pool) try(database string) (*session, <-chan struct{}, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.IndexFunc(p.idle, func(k kept) bool { return k.database == database }); i >= 0 {
		s := p.idle[i].session
		p.idle = slices.Delete(p.idle, i, i+1)
		return s, nil, true
	}
	if p.open < p.max {
		p.open++
		return nil, nil, true
	}
	if now := time.Now(); len(p.idle) > 0 && !now.Before(p.reopen) {
		p.reopen = now.Add(reopenEvery)
		go p.idle[0].session.close() // its farewell is not worth waiting for
		p.idle = slices.Delete(p.idle, 0, 1)
		return nil, nil, true
	}
	return nil, p.changed, false
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
	p.signal()
}

// drop says that a connection is closed, or was not opened.
func (p *pool) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	p.signal()
}

func (p *pool) signal() {
	close(p.changed)
	p.changed = make(chan struct{})
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
	if len(out) > 0 {
		p.signal()
	}
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

package server

import "time"

// What is done between scrapes: how long before the next one the refreshing begins at least, how
// often somebody looks whether there is something to do, and how long a connection may be idle.
const (
	leadLeast  = 500 * time.Millisecond
	leadMore   = 300 * time.Millisecond
	lookAround = 30 * time.Second
	idleOthers = 90 * time.Second
	idleMain   = 5 * time.Minute
)

// ahead refreshes results before they are asked for, and closes connections that nobody needs.
func (s *Server) ahead() {
	timer := time.NewTimer(lookAround)
	defer timer.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		s.reap(time.Now())
		s.renewCertificate(time.Now())
		timer.Reset(s.prepare(time.Now()))
	}
}

// prepare begins what is to be ready for the next scrape when it is time for that, and says when to
// come back.
func (s *Server) prepare(now time.Time) time.Duration {
	s.mu.Lock()
	next, interval := s.rhythm.next(now)
	last := s.rhythm.last()
	up := s.state.gone(now) == nil
	s.mu.Unlock()
	if !up || last.IsZero() {
		return lookAround
	}
	when := next
	if next.IsZero() {
		// Nobody comes regularly. Whoever came got results that may have been a little old: the next
		// one shall not, if it comes soon.
		when = now
	}
	databases := s.sorted()
	stale, longest := make([][]string, len(databases)), time.Duration(0)
	for i, d := range databases {
		var took time.Duration
		stale[i], took = d.overdue(when)
		longest = max(longest, took)
	}
	if !next.IsZero() {
		lead := min(max(leadLeast, longest*3/2+leadMore), interval/2)
		if wait := next.Add(-lead).Sub(now); wait > 0 {
			return wait
		}
	} else if now.Sub(last) > lookAround {
		return lookAround
	}
	for i, d := range databases {
		d.refresh(stale[i])
	}
	return lookAround
}

func (s *Server) reap(now time.Time) {
	s.others.reap(func(k kept) bool { return now.Sub(k.session.usedAt) > idleOthers })
	s.mains.reap(func(k kept) bool { return now.Sub(k.session.usedAt) > idleMain })
}

package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// finding is what was measured of one contender with a number of tables.
type finding struct {
	group      string // of those that are compared
	name       string
	tables     int
	series     map[string]bool
	nan        int             // of these, those whose value is no number
	walls      []time.Duration // of all scrapes that count
	exporter   []time.Duration // processor time of the exporter for a scrape, one for each turn
	postgresql []time.Duration // the same of the server
	memory     int64
}

// turn is how a contender is asked.
type turn struct {
	warm, count int           // scrapes before those that count, and those
	pace        time.Duration // from one scrape's begin to the next one's
	patience    time.Duration // that the scraper says it has
}

// take gives a contender its turn: scrapes at a steady pace. What counts begins when a scrape ends
// and ends when a later one does, so that what is prepared between scrapes is in it.
func (l *lab) take(ctx context.Context, c *contender, t turn, f *finding) (err error) {
	if err := c.freeze(false); err != nil {
		return err
	}
	next := time.Now()
	var began moments
	for n := range t.warm + t.count {
		if n == t.warm {
			if began, err = l.moments(c); err != nil {
				return err
			}
		}
		if err := until(ctx, next); err != nil {
			return err
		}
		next = time.Now().Add(t.pace)
		took, packed, err := c.scrape(ctx, t.patience)
		if err != nil {
			return err
		}
		if n < t.warm {
			continue
		}
		f.walls = append(f.walls, took)
		if n == t.warm+t.count-1 {
			if err := f.keep(packed); err != nil {
				return err
			}
		}
	}
	ended, err := l.moments(c)
	if err != nil {
		return err
	}
	idle := time.Duration(l.idle * float64(ended.at.Sub(began.at)))
	f.exporter = append(f.exporter, (ended.exporter-began.exporter)/time.Duration(t.count))
	f.postgresql = append(f.postgresql, max(0, ended.postgresql-began.postgresql-idle)/time.Duration(t.count))
	if f.memory, err = c.peak(); err != nil {
		return err
	}
	return c.freeze(true)
}

// keep notes what a scrape said.
func (f *finding) keep(packed []byte) error {
	text, err := unpack(packed)
	if err != nil {
		return err
	}
	f.series, f.nan = parse(text)
	return nil
}

// moments are how much was used until a moment.
type moments struct {
	at                   time.Time
	exporter, postgresql time.Duration
}

func (l *lab) moments(c *contender) (m moments, err error) {
	m.at = time.Now()
	if m.exporter, err = c.used(); err != nil {
		return m, err
	}
	m.postgresql, err = l.database.used()
	return m, err
}

// rest finds what the server uses when nobody asks it anything, in processor-seconds per second.
func (l *lab) rest(ctx context.Context) error {
	began, err := l.database.used()
	if err != nil {
		return err
	}
	const window = 5 * time.Second
	if err := until(ctx, time.Now().Add(window)); err != nil {
		return err
	}
	ended, err := l.database.used()
	l.idle = (ended - began).Seconds() / window.Seconds()
	return err
}

func until(ctx context.Context, at time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(at)):
		return nil
	}
}

// compare starts contenders and gives them turns one after another, round by round, so that what
// changes on the machine touches all of them alike.
func (l *lab) compare(ctx context.Context, group string, tables, rounds int, t turn, contenders ...*contender) (found []*finding, err error) {
	defer func() {
		for _, c := range contenders {
			if e := c.stop(); err == nil {
				err = e
			}
		}
	}()
	for i, c := range contenders {
		if err := c.start(ctx, i); err != nil {
			return nil, err
		}
		if err := c.freeze(true); err != nil {
			return nil, err
		}
		found = append(found, &finding{group: group, name: c.name, tables: tables})
	}
	for round := range rounds {
		if err := l.rest(ctx); err != nil {
			return nil, err
		}
		for i, c := range contenders {
			if err := l.take(ctx, c, t, found[i]); err != nil {
				return nil, fmt.Errorf("%s, %d tables: %w", group, tables, err)
			}
			f := found[i]
			say("%s, %d tables, round %d: %s: %s ms, exporter %s ms, server %s ms, %d series, %d MiB", group, tables, round+1, c.name,
				ms(median(f.walls)), ms(f.exporter[round]), ms(f.postgresql[round]), len(f.series), f.memory>>20)
		}
	}
	return found, nil
}

func median(values []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }

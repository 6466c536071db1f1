package drill

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"pigsty/internal/controller"
)

// line is one record of a member's Patroni log, by our clock.
type line struct {
	at   time.Time
	text string
}

// record matches the first line of a record as patroni.yml has Patroni write it.
var record = regexp.MustCompile(`^([+-]\d{4} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) [A-Z]+: (.*)$`)

const recordTime = "-0700 2006-01-02 15:04:05.000"

// parseLog gives the records since some time. The member's clock is ahead of ours by the given time.
func parseLog(text string, since time.Time, ahead time.Duration) []line {
	var all []line
	for l := range strings.Lines(text) {
		m := record.FindStringSubmatch(strings.TrimRight(l, "\n"))
		if m == nil {
			continue // more of the record before, such as the trace of an error
		}
		at, err := time.Parse(recordTime, m[1])
		if err != nil {
			continue
		}
		if at = at.Add(-ahead); !at.Before(since) {
			all = append(all, line{at, m[2]})
		}
	}
	return all
}

const (
	logLines = 20000 // of the end of a member's log, far more than a drill makes
	// logPatience bounds the reading of the logs.
	logPatience = 20 * time.Second
)

// logs are what the members' Patroni wrote since some time, by instance; problems are those that
// cannot be read.
func (d *Drill) logs(ctx context.Context, watchers []*watcher, since time.Time) (logs map[string][]line, problems []string) {
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	logs = map[string][]line{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, w := range watchers {
		group.Go(func() {
			var text, complaint bytes.Buffer
			streams := controller.Streams{In: strings.NewReader(""), Out: &text, Err: &complaint}
			err := d.site.Log(ctx, w.instance.Name, controller.PatroniLog, logLines, false, streams)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				problems = append(problems, fmt.Sprintf("The log of %s cannot be read, so phases may be missing: %v %s", w.instance.Name, err, strings.TrimSpace(complaint.String())))
			}
			logs[w.instance.Name] = parseLog(text.String(), since, clockAhead(w.samples))
		})
	}
	group.Wait()
	return logs, problems
}

// first finds the earliest record after some time that one of the patterns matches, on the members
// that wanted takes.
func first(logs map[string][]line, after time.Time, wanted func(member string) bool, patterns ...string) (member string, found line) {
	for name, lines := range logs {
		if !wanted(name) {
			continue
		}
		for _, l := range lines {
			if !l.at.Before(after) && matches(l.text, patterns) {
				if member == "" || l.at.Before(found.at) {
					member, found = name, l
				}
				break
			}
		}
	}
	return member, found
}

// matches tells whether a text begins as one of the patterns says.
func matches(text string, patterns []string) bool {
	for _, p := range patterns {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}

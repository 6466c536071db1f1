package view

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pigsty/internal/engine"
	"pigsty/internal/golden"
	"pigsty/internal/resource"
)

func event(node string, status resource.Status, name, why string) engine.Event {
	e := engine.Event{Node: node, Kind: "file", Name: name, Status: status, Error: why, Took: 20 * time.Millisecond}
	if status == resource.Started || status == resource.Changed {
		e.Change = &resource.Change{Action: resource.Create}
	}
	return e
}

// events is a run on three nodes: one fails, one waits for it, one is done.
func events() []engine.Event {
	noted := event("10.0.0.3", resource.InOrder, "/c", "")
	noted.Notes = []string{"a container refuses this"}
	return []engine.Event{
		event("10.0.0.1", resource.Started, "/a", ""), noted,
		event("10.0.0.1", resource.Changed, "/a", ""),
		event("10.0.0.3", resource.Started, "/d", ""),
		event("10.0.0.1", resource.Failed, "/b", "no space left\non device"),
		event("10.0.0.1", resource.Skipped, "/e", "file:/b failed before it"),
		event("10.0.0.1", resource.Skipped, "/f", "file:/b failed before it"),
		event("10.0.0.2", resource.Skipped, "/a", "it waits for file:/f on 10.0.0.1, which was not done"),
		event("10.0.0.3", resource.Changed, "/d", ""),
	}
}

var names = map[string]string{"10.0.0.1": "pg-1", "10.0.0.2": "pg-2"}

// In a bubble of synctest no time passes by itself, so that what is printed of it is known.
func TestRunWithoutTerminal(t *testing.T) {
	for name, c := range map[string]struct {
		events []engine.Event
		done   bool
	}{
		"failed": {events(), false},
		"done":   {events()[:4], true},
	} {
		synctest.Test(t, func(t *testing.T) {
			var b bytes.Buffer
			r := NewRun(&b, names)
			for _, e := range c.events {
				r.Event(e)
			}
			time.Sleep(1500 * time.Millisecond)
			if got := r.Done(); got != c.done {
				t.Errorf("%s: done is %t", name, got)
			}
			golden.Compare(t, "testdata/run-"+name+".txt", b.String())
		})
	}
}

// screen is a terminal as far as the live view uses one: it understands "up" and "clear below".
type screen struct {
	mu    sync.Mutex
	lines []string // what is to be seen
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := string(p)
	var up int
	if n, _ := fmt.Sscanf(text, "\x1b[%dA\x1b[J", &up); n == 1 {
		s.lines = s.lines[:len(s.lines)-up]
		return len(p), nil
	}
	s.lines = append(s.lines, strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
	return len(p), nil
}

// text is what the screen shows, once nobody draws any more.
func (s *screen) text() string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

func (s *screen) want(t *testing.T, when, want string) {
	t.Helper()
	if got := s.text(); got != want {
		t.Errorf("%s the screen shows\n%s\nwant\n%s", when, got, want)
	}
}

func TestLiveView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{}
		r := &Run{w: s, names: names, start: time.Now(), nodes: map[string]bool{}, notes: notes{}, live: newLive(s, 40)}
		all := events()
		r.Event(all[0])
		r.Event(event("10.0.0.2", resource.Started, "/a/path/that/is/longer/than/the/screen/is/wide", ""))
		s.want(t, "before the first tick", "")
		time.Sleep(450 * time.Millisecond)
		s.want(t, "after two ticks", "pg-1           + file /a  0.40s\npg-2           + file /a/path/that/is/l")
		r.Event(all[2])
		r.Event(all[3])
		time.Sleep(150 * time.Millisecond)
		s.want(t, "when pg-1 has nothing to do", "10.0.0.3       + file /d  0.15s\npg-2           + file /a/path/that/is/l")
		r.Event(all[4])
		s.want(t, "when a step failed", "pg-1           failed file /b: no space left\n          on device\n10.0.0.3       + file /d  0.15s\npg-2           + file /a/path/that/is/l")
		r.Event(all[8])
		if r.Done() {
			t.Error("a run with a failure is done")
		}
		s.want(t, "at the end", strings.Join([]string{
			"pg-1           failed file /b: no space left", "          on device",
			"Not done: 1 failed, 0 skipped, 2 changes made in 0.60s.",
			"  pg-1  file /b: no space left", "          on device",
			"  What was done stays done: mend the cause and apply again.",
		}, "\n"))
	})
}

func TestLiveViewKeepsToAFewLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{}
		l := newLive(s, 80)
		for i := range maxLive + 3 {
			l.begin(fmt.Sprintf("n%02d", i), "busy")
		}
		time.Sleep(200 * time.Millisecond)
		if text := s.text(); strings.Count(text, "\n") != maxLive || !strings.HasSuffix(text, "\n… and 3 more") {
			t.Errorf("%q", text)
		}
		l.stop()
		s.want(t, "at the end", "")
	})
}

func TestFilesAreNoTerminals(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, ok := Terminal(f); ok || Color(f) || Color(&bytes.Buffer{}) {
		t.Error("a file counts as a terminal")
	}
}

package sdjournal

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// journal puts a journalctl into the way that notes how it was called, and says what script says.
func journal(t *testing.T, script string) (calls func() string) {
	t.Helper()
	dir := t.TempDir()
	note := filepath.Join(dir, "calls")
	text := "#!/bin/sh\necho \"$@\" >> " + note + "\n" + script
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func() string {
		text, err := os.ReadFile(note)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

const twoEntries = `
echo '{"__CURSOR":"c1","__REALTIME_TIMESTAMP":"1700000000000001","_SYSTEMD_UNIT":"a.service","MESSAGE":"first"}'
echo '{"__CURSOR":"c2","__REALTIME_TIMESTAMP":"1700000000000002","_SYSTEMD_UNIT":"b.service","MESSAGE":[104,105,255],"TWICE":["x","y"],"BIG":null}'
`

// collect gives a formatter that notes entries and stops the reader after so many.
func collect(seen *[]*JournalEntry, count int, until chan time.Time) func(*JournalEntry) (string, error) {
	return func(e *JournalEntry) (string, error) {
		*seen = append(*seen, e)
		if len(*seen) == count {
			go func() { until <- time.Now() }()
		}
		return e.Fields["MESSAGE"] + "\n", nil
	}
}

func TestFollowGivesEntriesAndGoesOnAfterTheLast(t *testing.T) {
	calls := journal(t, twoEntries+"exec sleep 1000")
	until := make(chan time.Time)
	var seen []*JournalEntry
	r, err := NewJournalReader(JournalReaderConfig{
		Since: -time.Hour, Path: "/var/log/journal", Matches: []Match{{"_TRANSPORT", "kernel"}},
		Formatter: collect(&seen, 2, until),
	})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.Follow(until, &text); !errors.Is(err, ErrExpired) {
		t.Fatalf("ends with %v", err)
	}
	if text.String() != "first\nhi\uFFFD\n" {
		t.Errorf("wrote %q", text.String())
	}
	second := seen[1]
	if second.Cursor != "c2" || second.RealtimeTimestamp != 1700000000000002 || second.Fields["_SYSTEMD_UNIT"] != "b.service" ||
		second.Fields["TWICE"] != "y" || second.Fields["BIG"] != "" {
		t.Errorf("second entry: %+v", second)
	}
	if _, ok := second.Fields["__CURSOR"]; ok {
		t.Error("the cursor counts as a field of the entry")
	}
	seen = nil
	if err := r.Follow(until, io.Discard); !errors.Is(err, ErrExpired) {
		t.Fatalf("ends with %v", err)
	}
	lines := strings.Split(strings.TrimSpace(calls()), "\n")
	for i, want := range []string{"--since=@[0-9]+", "--after-cursor=c2"} {
		form := regexp.MustCompile(`^--output=json --all --merge --no-pager --quiet --directory=/var/log/journal ` + want + ` --follow --no-tail _TRANSPORT=kernel$`)
		if !form.MatchString(lines[i]) {
			t.Errorf("call %d: %s, want %s", i, lines[i], form)
		}
	}
}

// Promtail goes on after any error but io.EOF.
func TestFollowTellsWhyJournalctlEnded(t *testing.T) {
	journal(t, "echo 'no journal files' >&2; exit 1")
	r, err := NewJournalReader(JournalReaderConfig{Formatter: func(*JournalEntry) (string, error) { return "", nil }})
	if err != nil {
		t.Fatal(err)
	}
	err = r.Follow(make(chan time.Time), io.Discard)
	if err == nil || errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "no journal files") {
		t.Errorf("ends with %v", err)
	}
}

func TestJournalFindsEntryOfCursor(t *testing.T) {
	calls := journal(t, twoEntries)
	j, err := NewJournal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.GetEntry(); err == nil {
		t.Error("there is an entry before Next")
	}
	if err := j.SeekCursor("c1"); err != nil {
		t.Fatal(err)
	}
	if n, err := j.Next(); n != 1 || err != nil {
		t.Fatalf("Next gives %d, %v", n, err)
	}
	e, err := j.GetEntry()
	if err != nil || e.Cursor != "c1" || e.Fields["MESSAGE"] != "first" {
		t.Errorf("entry %+v, %v", e, err)
	}
	if got := calls(); !strings.Contains(got, "--cursor=c1") || strings.Contains(got, "--follow") {
		t.Errorf("asked %s", got)
	}
}

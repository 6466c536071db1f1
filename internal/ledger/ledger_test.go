package ledger

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
)

// A ledger is worth what it finds.
func TestTallyFindsWhatIsWrong(t *testing.T) {
	writer := Track{Entries: []Entry{
		{Number: 1, Outcome: Acknowledged},
		{Number: 2, Outcome: Acknowledged},
		{Number: 3, Outcome: Acknowledged},
		{Number: 4, Outcome: Unknown, Error: "timeout"},
		{Number: 5, Outcome: Unknown, Error: "timeout"},
		{Number: 6, Outcome: Failed, Error: "refused"},
		{Number: 7, Outcome: Failed, Error: "refused"},
	}}
	reader := Track{Read: true, Entries: []Entry{{Number: 8, Outcome: Acknowledged}}}
	got := tally([]Track{writer, reader}, map[int64]int64{1: 1, 2: 2, 4: 1, 7: 1, 9: 1})
	want := Account{
		Acknowledged: 3, Failed: 2, Unknown: 2, Late: 1,
		Lost: []int64{3}, Doubled: []int64{2}, Strange: []int64{7, 9},
		Errors: map[string]int{"timeout": 2, "refused": 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Clean() {
		t.Error("it is called clean")
	}
	if (Account{}).Clean() {
		t.Error("a ledger that wrote nothing is called clean")
	}
	if !tally([]Track{writer}, map[int64]int64{1: 1, 2: 1, 3: 1, 5: 1}).Clean() {
		t.Error("one in which nothing acknowledged is missing is not called clean")
	}
}

func TestGaps(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	track := Track{Entries: []Entry{
		{Ended: at(-1), Outcome: Acknowledged},
		{Ended: at(1), Outcome: Acknowledged},
		{Ended: at(2), Outcome: Failed},
		{Ended: at(4), Outcome: Acknowledged},
		{Ended: at(4.5), Outcome: Acknowledged},
	}}
	want := []Gap{{From: at(1), To: at(4)}, {From: at(4.5), To: at(7), Open: true}}
	if diff := cmp.Diff(want, track.Gaps(start, at(7), 1500*time.Millisecond)); diff != "" {
		t.Error(diff)
	}
	if got := track.Longest(start, at(7)); got != want[0] {
		t.Errorf("the longest is %+v", got)
	}
	if got := (Track{}).Longest(start, at(7)); got.Length() != 7*time.Second || !got.Open {
		t.Errorf("of a client that never was served, the longest is %+v", got)
	}
}

// Only what certainly was not done may be called failed.
func TestOutcome(t *testing.T) {
	severe := func(severity, code string) error {
		return fmt.Errorf("write: %w", &pgconn.PgError{Severity: severity, Code: code})
	}
	code := func(code string) error { return severe("ERROR", code) }
	for _, c := range []struct {
		name string
		err  error
		read bool
		want Outcome
	}{
		{"done", nil, false, Acknowledged},
		{"read-only transaction", code("25006"), false, Failed},
		{"disk full", code("53100"), false, Failed},
		{"disk full while writing the commit", severe("PANIC", "53100"), false, Unknown},
		{"starting up", severe("FATAL", "57P03"), false, Failed},
		{"shut down while the commit waits for its standby", severe("FATAL", "57P01"), false, Unknown},
		{"crash of another backend", code("57P02"), false, Unknown},
		{"cancelled while the commit waits", code("57014"), false, Unknown},
		{"the pool has no server", fmt.Errorf("write: %w", &pgconn.PgError{
			Severity: "FATAL", Code: "08P01", Message: "server login has been failing, cached error: connect failed (server_login_retry)",
		}), false, Failed},
		{"the pool lost its server", code("08P01"), false, Unknown},
		{"input or output error", code("58030"), false, Unknown},
		{"the connection was closed under it", fmt.Errorf("write: %w", net.ErrClosed), false, Unknown},
		{"no answer", errors.New("timeout: context deadline exceeded"), false, Unknown},
		{"no answer to a read", errors.New("timeout: context deadline exceeded"), true, Failed},
	} {
		if got := outcome(c.err, c.read); got != c.want {
			t.Errorf("%s: %s, not %s", c.name, got, c.want)
		}
	}
}

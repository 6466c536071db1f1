package ledger

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Outcome is what a client knows of a try.
type Outcome string

// The outcomes of a try.
const (
	Acknowledged Outcome = "acknowledged" // the server said that it is done
	Failed       Outcome = "failed"       // it certainly was not done
	Unknown      Outcome = "unknown"      // no answer came: it was done, or not
)

// Entry is one try.
type Entry struct {
	Number  int64     // the row's; unique in the ledger
	Sent    time.Time // when the statement was sent, or the connection that failed was begun
	Ended   time.Time
	Outcome Outcome
	Server  Server // that acknowledged it
	Error   string // what went wrong, without what differs from one time to the next
}

// Server is who acknowledged a try, and where it stood.
type Server struct {
	Started  int64  // when the server was started, in microseconds since 1970
	Timeline uint32 // that it wrote on; 0 of a read
	Position int64  // of its log after the write, in bytes; 0 of a read
}

// Track is what one client knows.
type Track struct {
	Name    string
	Read    bool
	Entries []Entry // in the order of time
}

// outcome judges an error that came after the statement may have been sent. That pgx calls one safe
// to repeat proves nothing: it says so of a connection that was closed under a statement, too.
func outcome(err error, read bool) Outcome {
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return Acknowledged
	case read:
		return Failed
	case errors.As(err, &refused) && rolledBack(refused):
		return Failed
	}
	return Unknown
}

// unsent are how pgBouncer's errors begin that say that it found no server to send a statement to.
var unsent = []string{"server login has been failing", "server login failed", "pgbouncer cannot connect to server", "query_wait_timeout", "no such database"}

// rolledBack tells whether an error undoes the statement for certain. One that ends the session may
// come while a commit waits for its standby, when it has been done here; those of class 08 are the
// pool's, about a server that it lost.
func rolledBack(err *pgconn.PgError) bool {
	if err.Code == "57P03" || slices.ContainsFunc(unsent, func(begin string) bool { return strings.HasPrefix(err.Message, begin) }) {
		return true // nothing has begun
	}
	if err.Severity != "ERROR" {
		return false
	}
	switch class := err.Code[:min(2, len(err.Code))]; class {
	case "08", "57", "58", "XX", "":
		return false
	}
	return true
}

// reason is the innermost part of an error, without what differs from one time to the next.
func reason(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Message
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return text
}

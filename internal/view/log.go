package view

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Columns of PostgreSQL's CSV log that are shown; every version since 9.0 has them here.
const (
	logTime     = 0
	logUser     = 1
	logDatabase = 2
	logSeverity = 11
	logMessage  = 13
	logDetail   = 14
	logHint     = 15
	logContext  = 18
	logQuery    = 19
	logColumns  = 23
)

// Log shows PostgreSQL's CSV log, written to it, for people. Text that is not
// CSV, or the end of a record whose beginning was not written, is shown as it is.
type Log struct {
	w      io.Writer
	style  style
	line   []byte // the end of what was written, without its newline yet
	record []byte // lines of a record that is not complete
}

// NewLog shows what is written to it on w.
func NewLog(w io.Writer, color bool) *Log { return &Log{w: w, style: styleFor(color)} }

// logBegins is how each record begins.
var logBegins = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^,"]+,("|,)`)

// Write takes any part of the log.
func (l *Log) Write(text []byte) (int, error) {
	l.line = append(l.line, text...)
	for {
		line, rest, whole := bytes.Cut(l.line, []byte("\n"))
		if !whole {
			return len(text), nil
		}
		if err := l.add(line); err != nil {
			return 0, err
		}
		l.line = rest
	}
}

func (l *Log) add(line []byte) error {
	if len(l.record) == 0 && !logBegins.Match(line) {
		_, err := fmt.Fprintln(l.w, printable(string(line)))
		return err
	}
	l.record = append(append(l.record, line...), '\n')
	if bytes.Count(l.record, []byte(`"`))%2 != 0 {
		return nil // a quoted newline
	}
	record := l.record
	l.record = nil
	return l.show(record)
}

func (l *Log) show(record []byte) error {
	fields, err := csv.NewReader(bytes.NewReader(record)).Read()
	if err != nil || len(fields) < logColumns {
		_, err := fmt.Fprintln(l.w, indented(string(record)))
		return err
	}
	who := fields[logUser]
	if fields[logDatabase] != "" {
		who += "@" + fields[logDatabase]
	}
	if who == "" {
		who = "-"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s  %s\n", fields[logTime], l.severity(fields[logSeverity]), printable(who), indented(fields[logMessage]))
	for _, more := range []struct {
		name   string
		column int
	}{{"detail", logDetail}, {"hint", logHint}, {"context", logContext}, {"statement", logQuery}} {
		if text := fields[more.column]; text != "" {
			fmt.Fprintf(&b, "        %s: %s\n", more.name, indented(text))
		}
	}
	_, err = io.WriteString(l.w, b.String())
	return err
}

func (l *Log) severity(level string) string {
	text := fmt.Sprintf("%-7s", level)
	switch level {
	case "ERROR", "FATAL", "PANIC":
		return l.style.red(text)
	case "WARNING":
		return l.style.yellow(text)
	}
	return text
}

package sdjournal

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrExpired is what Follow ends with when it was told to.
var ErrExpired = errors.New("told to end")

// JournalReaderConfig says what is read and from where on.
type JournalReaderConfig struct {
	// Since and Cursor say where reading begins: so long from now, which is negative, or after
	// the entry with that cursor. Since counts first; with neither it begins with the oldest.
	Since  time.Duration
	Cursor string

	// Matches are conditions that an entry meets, all of them.
	Matches []Match

	// Path is the folder of the journal's files; empty = the system's.
	Path string

	// Formatter gets each entry and gives what is written for it. An error ends the reading.
	Formatter func(entry *JournalEntry) (string, error)
}

// Match is a condition: a field has a value.
type Match struct {
	Field string
	Value string
}

// JournalReader reads entries, old ones first, and those to come.
type JournalReader struct {
	config JournalReaderConfig
	since  time.Time
}

// NewJournalReader makes a reader that has read nothing yet.
func NewJournalReader(config JournalReaderConfig) (*JournalReader, error) {
	if config.Formatter == nil {
		return nil, errors.New("read the journal: there is no formatter")
	}
	r := &JournalReader{config: config}
	if config.Since != 0 {
		r.since = time.Now().Add(config.Since)
	}
	return r, nil
}

// Follow writes what the formatter makes of each entry, and waits for more, until something
// arrives on until. Called again, it goes on after the last entry it wrote.
func (r *JournalReader) Follow(until <-chan time.Time, w io.Writer) error {
	q := query{path: r.config.Path, matches: r.config.Matches, since: r.since, after: r.config.Cursor, follow: true}
	if !r.since.IsZero() {
		q.after = ""
	}
	s, err := q.start()
	if err != nil {
		return err
	}
	entries, ended, done := make(chan *JournalEntry), make(chan error, 1), make(chan struct{})
	go func() { ended <- s.send(entries, done) }()
	err = r.write(entries, ended, until, w)
	close(done)
	said := s.stop()
	if errors.Is(err, io.EOF) { // Promtail would give up for good on a bare io.EOF
		return fmt.Errorf("journalctl ended: %s", said)
	}
	return err
}

// write writes entries until they end or something arrives on until.
func (r *JournalReader) write(entries <-chan *JournalEntry, ended <-chan error, until <-chan time.Time, w io.Writer) error {
	for {
		select {
		case <-until:
			return ErrExpired
		case err := <-ended:
			return err
		case entry := <-entries:
			text, err := r.config.Formatter(entry)
			if err != nil {
				return err
			}
			r.config.Cursor, r.since = entry.Cursor, time.Time{}
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
		}
	}
}

// Close ends the reader; Follow stops its program itself.
func (r *JournalReader) Close() error { return nil }

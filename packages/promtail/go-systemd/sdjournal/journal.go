// Package sdjournal reads systemd's journal for Promtail by running journalctl. It has what Promtail
// uses of the package of this name in github.com/coreos/go-systemd, which needs a C compiler and
// libsystemd's headers where Promtail is built, and libsystemd where it runs.
package sdjournal

import (
	"errors"
	"io"
)

// JournalEntry is one entry of the journal.
type JournalEntry struct {
	Fields            map[string]string
	Cursor            string // names the entry
	RealtimeTimestamp uint64 // microseconds since 1970
}

// Journal is a place in a journal.
type Journal struct {
	path   string
	cursor string
	entry  *JournalEntry
}

// NewJournal opens the system's journal.
func NewJournal() (*Journal, error) { return &Journal{}, nil }

// NewJournalFromDir opens the journal whose files are in a folder.
func NewJournalFromDir(path string) (*Journal, error) { return &Journal{path: path}, nil }

// SeekCursor goes before the entry with a cursor, or before the one that follows it when it is
// gone.
func (j *Journal) SeekCursor(cursor string) error {
	j.cursor = cursor
	return nil
}

// Next goes to the next entry, and gives 0 when there is none.
func (j *Journal) Next() (uint64, error) {
	q := query{path: j.path, at: j.cursor}
	if j.entry != nil {
		q = query{path: j.path, after: j.entry.Cursor}
	}
	s, err := q.start()
	if err != nil {
		return 0, err
	}
	entry, err := s.next()
	s.stop()
	if errors.Is(err, io.EOF) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	j.entry = entry
	return 1, nil
}

// GetEntry gives the entry that Next went to.
func (j *Journal) GetEntry() (*JournalEntry, error) {
	if j.entry == nil {
		return nil, errors.New("read the journal: there is no entry at this place")
	}
	return j.entry, nil
}

// Close ends the use of the journal.
func (j *Journal) Close() error { return nil }

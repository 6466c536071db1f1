package sdjournal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// query is what is asked of journalctl.
type query struct {
	path    string
	matches []Match
	since   time.Time
	at      string // cursor of the first entry
	after   string // cursor of the entry before the first
	follow  bool
}

// args are journalctl's. Without --merge it follows the current boot only, and the last lines before
// a machine went down would be missing.
func (q query) args() []string {
	args := []string{"--output=json", "--all", "--merge", "--no-pager", "--quiet"}
	if q.path != "" {
		args = append(args, "--directory="+q.path)
	}
	switch {
	case q.at != "":
		args = append(args, "--cursor="+q.at)
	case q.after != "":
		args = append(args, "--after-cursor="+q.after)
	case !q.since.IsZero():
		args = append(args, "--since=@"+strconv.FormatInt(q.since.Unix(), 10))
	}
	if q.follow {
		args = append(args, "--follow", "--no-tail")
	}
	for _, m := range q.matches {
		args = append(args, m.Field+"="+m.Value)
	}
	return args
}

// stream is a journalctl that runs, and its entries.
type stream struct {
	cmd  *exec.Cmd
	out  *bufio.Reader
	said bytes.Buffer // on standard error
}

func (q query) start() (*stream, error) {
	s := &stream{cmd: exec.Command("journalctl", q.args()...)}
	pipe, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.cmd.Stderr = &s.said
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	s.out = bufio.NewReader(pipe)
	return s, nil
}

// stop ends journalctl, waits until it is gone, and gives what it complained of.
func (s *stream) stop() string {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	return strings.TrimSpace(s.said.String())
}

// send hands entries over until there are no more, which is io.EOF, or done is closed.
func (s *stream) send(entries chan<- *JournalEntry, done <-chan struct{}) error {
	for {
		entry, err := s.next()
		if err != nil {
			return err
		}
		select {
		case entries <- entry:
		case <-done:
			return nil
		}
	}
}

// next gives one entry, and io.EOF after the last.
func (s *stream) next() (*JournalEntry, error) {
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return nil, err // a line without an end was cut off: the entry is read again from its cursor
	}
	return parse(line)
}

// parse reads an entry as journalctl writes it.
func parse(line []byte) (*JournalEntry, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return nil, fmt.Errorf("read what journalctl says: %w", err)
	}
	e := &JournalEntry{Fields: make(map[string]string, len(raw))}
	for name, value := range raw {
		e.Fields[name] = fieldText(value)
	}
	e.Cursor = e.Fields["__CURSOR"]
	var err error
	if e.RealtimeTimestamp, err = strconv.ParseUint(e.Fields["__REALTIME_TIMESTAMP"], 10, 64); err != nil {
		return nil, fmt.Errorf("read what journalctl says: the time of an entry: %w", err)
	}
	for name := range e.Fields {
		if strings.HasPrefix(name, "__") { // of the entry, and not in it
			delete(e.Fields, name)
		}
	}
	return e, nil
}

// fieldText is the text of a field: a string, the numbers of bytes that are no text, or a list of
// these where an entry has the field more than once, of which the last counts.
func fieldText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	var numbers []uint16
	if json.Unmarshal(value, &numbers) == nil {
		out := make([]byte, len(numbers))
		for i, n := range numbers {
			out[i] = byte(n)
		}
		return strings.ToValidUTF8(string(out), "\uFFFD")
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) == nil && len(list) > 0 {
		return fieldText(list[len(list)-1])
	}
	return ""
}

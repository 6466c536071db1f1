package resource

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// noticeDir holds one file per unit that still has to take notice of a change. The mark is
// written before the change and removed after the unit did, so that a run killed in between is
// finished by the next one instead of leaving a service on old settings.
const noticeDir = "/var/lib/pigsty/notice"

// Expect notes, for a plan, that a unit will have to take notice. Nothing is written.
func (h *Host) Expect(n Notification) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.notices == nil {
		h.notices = map[string]Notice{}
	}
	if h.notices[n.Unit] != NoticeRestart {
		h.notices[n.Unit] = n.Action
	}
}

// ForgetExpected drops what Expect noted, so that one connection can plan more than once.
func (h *Host) ForgetExpected() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notices = nil
}

// Mark records on disk that a unit has to take notice of a change about to be made.
func (h *Host) Mark(n Notification) error {
	if h.PendingNotice(n.Unit) == NoticeRestart {
		return nil
	}
	if err := os.MkdirAll(h.Path(noticeDir), 0o755); err != nil {
		return err
	}
	h.mu.Lock()
	if h.marked == nil {
		h.marked = map[string]bool{}
	}
	h.marked[n.Unit] = true
	h.mu.Unlock()
	return h.WriteFile(filepath.Join(noticeDir, n.Unit), []byte(n.Action+"\n"), 0o644)
}

// inherited tells whether the unit was asked for a restart by an earlier run, which was cut
// short before it did.
func (h *Host) inherited(unit string) bool {
	if h.PendingNotice(unit) != NoticeRestart {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.marked[unit]
}

// PendingNotice is what the unit has been asked to do and has not done yet, by this run, by one
// that was cut short, or, for a plan, by Expect; empty when nothing.
func (h *Host) PendingNotice(unit string) Notice {
	data, err := os.ReadFile(h.Path(filepath.Join(noticeDir, unit)))
	marked := Notice(strings.TrimSpace(string(data)))
	h.mu.Lock()
	defer h.mu.Unlock()
	expected := h.notices[unit]
	if err != nil || expected == NoticeRestart {
		return expected
	}
	return marked
}

// Unmark records that the unit has taken notice: nothing is pending for it any more.
func (h *Host) Unmark(unit string) error {
	h.mu.Lock()
	delete(h.notices, unit)
	delete(h.marked, unit)
	h.mu.Unlock()
	err := os.Remove(h.Path(filepath.Join(noticeDir, unit)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

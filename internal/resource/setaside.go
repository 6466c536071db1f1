package resource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

var (
	_ Resource = (*SetAside)(nil)
	_          = Register(func() Resource { return &SetAside{} })
)

// SetAside moves folders of data out of the way, each under its own name with the time added, on
// the same disk, and notes that in a small file on the node. PutBack brings them back; when the
// days are over, Expire deletes them.
type SetAside struct {
	What    string   `json:"what"`              // kind of thing, such as "instance"; see Aside
	Item    string   `json:"item"`              // its name
	As      string   `json:"as"`                // what is named to bring it back
	Cluster string   `json:"cluster,omitempty"` // that it belongs to
	Paths   []string `json:"paths"`             // folders; one that is not there is left out
	// Days is how long it is kept; 0 = until somebody deletes it.
	Days int `json:"days,omitempty"`
	// Server is noted with it.
	Server *Server `json:"server,omitempty"`
}

func (s *SetAside) Kind() string { return "set_aside" }
func (s *SetAside) Name() string { return s.Item }

// Diff is a change while one of the folders is there.
func (s *SetAside) Diff(_ context.Context, h *Host) (*Change, error) {
	c := &Change{Action: Delete}
	var bytes int64
	for _, path := range s.Paths {
		if there(h, path) {
			c.Add("moved to", "", path+asideSuffix+"<time>")
			bytes += treeSize(h.Path(path))
		}
	}
	if len(c.Fields) == 0 {
		return nil, nil
	}
	c.Add("size", "", SizeText(bytes))
	c.Add("kept", "", KeptFor(s.Days))
	return c, nil
}

// KeptFor says for how many days something is kept, for people.
func KeptFor(days int) string {
	switch days {
	case 0:
		return "until somebody deletes it"
	case 1:
		return "1 day"
	}
	return fmt.Sprintf("%d days", days)
}

// Apply renames the folders. The note comes first: a run that is cut short leaves one that tells
// of folders still in their places, and the next one goes on with it.
func (s *SetAside) Apply(_ context.Context, h *Host) error {
	a := s.aside(h, time.Now().UTC().Truncate(time.Second))
	if err := a.write(h); err != nil {
		return err
	}
	for _, m := range a.Moves {
		if !there(h, m.From) {
			continue
		}
		err := os.Rename(h.Path(m.From), h.Path(m.To))
		if errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EXDEV) {
			return fmt.Errorf("%w: %s is a disk of its own, which cannot be renamed: empty it by hand", err, m.From)
		}
		if err != nil {
			return err
		}
	}
	after := "pigsty undo " + s.As + " brings it back"
	if s.What == AsideEtcd {
		after = "pigsty undo --forget " + s.As + " deletes it"
	}
	h.Note("the data of %s are kept %s in %s: %s", s.Item, keptUntil(a.Expires), strings.Join(kept(a.Moves), " and "), after)
	return nil
}

// aside is what is noted of the folders that are there.
func (s *SetAside) aside(h *Host, now time.Time) *Aside {
	a := &Aside{What: s.What, Item: s.Item, Name: s.As, Cluster: s.Cluster, Removed: now, Server: s.Server}
	if s.Days > 0 {
		a.Expires = now.AddDate(0, 0, s.Days)
	}
	for _, path := range s.Paths {
		if there(h, path) {
			a.Moves = append(a.Moves, Move{From: path, To: AsideName(path, now)})
		}
	}
	// One that was cut short between two folders is the same thing.
	if old, err := newestAside(h, s.What, s.Item); err == nil && old != nil && slices.ContainsFunc(old.Moves, func(m Move) bool {
		return there(h, m.From) && !there(h, m.To)
	}) {
		old.Expires, old.Server = a.Expires, s.Server
		return old
	}
	return a
}

func keptUntil(expires time.Time) string {
	if expires.IsZero() {
		return KeptFor(0)
	}
	return "until " + expires.Format("2006-01-02 15:04 MST")
}

func kept(moves []Move) []string {
	var paths []string
	for _, m := range moves {
		paths = append(paths, m.To)
	}
	return paths
}

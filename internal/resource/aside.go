package resource

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// asideDir holds a small file for each thing that was set aside on the node, and nothing else
// knows of it: a node that is reached by another controller tells the same.
const asideDir = "/var/lib/pigsty/removed"

// asideSuffix is what the time is appended to in the name of what is set aside.
const asideSuffix = ".removed-"

// AsideStamp is the form of the time in such a name. In UTC, it sorts as time goes.
const AsideStamp = "20060102T150405Z"

// AsideName is the name under which something of the given name is set aside.
func AsideName(name string, at time.Time) string {
	return name + asideSuffix + at.UTC().Format(AsideStamp)
}

// What can be set aside.
const (
	AsideInstance = "instance"
	AsideDatabase = "database"
	AsideUser     = "user"
	AsideEtcd     = "etcd" // data of a member that has left, under which it can never come back
)

// Aside is one thing that was removed and can be brought back until it expires.
type Aside struct {
	What string `json:"what"`
	Item string `json:"item"` // its own name, such as "pg-test-3", "app", or a member of etcd
	// Name is what was named when it was removed: the item, its cluster, or "<cluster>/<item>".
	Name    string    `json:"name"`
	Cluster string    `json:"cluster,omitempty"`
	Removed time.Time `json:"removed"`
	Expires time.Time `json:"expires,omitzero"` // zero = kept until somebody deletes it
	Moves   []Move    `json:"moves,omitempty"`  // of folders
	As      string    `json:"as,omitempty"`     // name that a database or a user has meanwhile
	Server  *Server   `json:"server,omitempty"` // of an instance
	Bytes   int64     `json:"bytes"`            // on the disk, when it is listed; 0 = not known
}

// Move is a folder and where it is kept.
type Move struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Server is how a database server was when it stopped, as its control file says.
type Server struct {
	System     string `json:"system"` // identifier that all members of a cluster share
	Timeline   int    `json:"timeline"`
	Checkpoint uint64 `json:"checkpoint"` // position in the WAL
	Primary    bool   `json:"primary"`    // it took writes
}

// record is the file that tells of the thing.
func (a *Aside) record() string {
	return filepath.Join(asideDir, AsideName(strings.ReplaceAll(a.Item, "/", "-"), a.Removed)+".json")
}

// Gone tells whether the time to bring it back is over.
func (a *Aside) Gone(now time.Time) bool { return !a.Expires.IsZero() && !now.Before(a.Expires) }

// Asides lists what is set aside in folders of the node, oldest first. One whose folders
// somebody has deleted or moved is left out.
func Asides(h *Host) ([]Aside, error) {
	files, err := filepath.Glob(h.Path(filepath.Join(asideDir, "*"+asideSuffix+"*.json")))
	if err != nil {
		return nil, err
	}
	var all []Aside
	for _, file := range files {
		a, err := readAside(file)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(a.Moves, func(m Move) bool { return there(h, m.To) }) {
			continue
		}
		for _, m := range a.Moves {
			a.Bytes += treeSize(h.Path(m.To))
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Aside) int { return cmp.Or(a.Removed.Compare(b.Removed), cmp.Compare(a.Item, b.Item)) })
	return all, nil
}

// readAside reads one note. A file that is none has no folders.
func readAside(path string) (Aside, error) {
	var a Aside
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err == nil && json.Unmarshal(text, &a) != nil {
		return Aside{}, nil
	}
	return a, err
}

// newestAside is the last one of that kind and name; nil when there is none.
func newestAside(h *Host, what, item string) (*Aside, error) {
	all, err := Asides(h)
	if err != nil {
		return nil, err
	}
	var newest *Aside
	for i, a := range all {
		if a.What == what && a.Item == item {
			newest = &all[i]
		}
	}
	return newest, nil
}

func (a *Aside) write(h *Host) error {
	kept := *a
	kept.Bytes = 0 // counted anew each time
	text, err := json.MarshalIndent(kept, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(h.Path(asideDir), 0o700); err != nil {
		return err
	}
	return h.WriteFile(a.record(), append(text, '\n'), 0o600)
}

// forget removes the file that tells of the thing.
func (a *Aside) forget(h *Host) error {
	err := os.Remove(h.Path(a.record()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// destroy deletes the thing for good. Only folders that bear the mark of having been set aside
// are touched, whatever the file says.
func (a *Aside) destroy(h *Host) error {
	for _, m := range a.Moves {
		if !strings.Contains(filepath.Base(m.To), asideSuffix) {
			continue
		}
		if err := os.RemoveAll(h.Path(m.To)); err != nil {
			return err
		}
	}
	return a.forget(h)
}

// Expire deletes what was set aside in folders of the node and has expired, and says what.
func Expire(h *Host, now time.Time) ([]Aside, error) {
	all, err := Asides(h)
	var expired []Aside
	for _, a := range all {
		if !a.Gone(now) {
			continue
		}
		if err := a.destroy(h); err != nil {
			return expired, err
		}
		expired = append(expired, a)
	}
	return expired, err
}

func there(h *Host, path string) bool {
	_, err := os.Lstat(h.Path(path))
	return err == nil
}

// treeSize is the bytes that a folder takes on the disk. What cannot be looked at, or goes away
// meanwhile, does not count.
func treeSize(path string) int64 {
	var sum int64
	_ = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			sum += diskUse(info)
		}
		return nil
	})
	return sum
}

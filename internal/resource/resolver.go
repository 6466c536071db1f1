package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	udiff "github.com/aymanbagabas/go-udiff"
)

const (
	resolvConf = "/etc/resolv.conf"
	// resolvBackup is where v1.5 kept the original, and where people look for it.
	resolvBackup = "/etc/resolv.conf.backup"
	// resolvHeader begins a file that is ours from top to bottom.
	resolvHeader = "# Managed by pigsty.\n"
	// backupNote begins the lines that say where the backup comes from.
	backupNote = "# pigsty: "
)

var (
	_ Resource = (*Resolver)(nil)
	_          = Register(func() Resource { return &Resolver{} })
)

// Resolver is whom the node asks for names: /etc/resolv.conf. The file as it was before the
// first change is kept beside it, as /etc/resolv.conf.backup.
//
// A link, such as the one to systemd-resolved's file, gives way to a file: whoever writes what
// it points to would take our servers out again. systemd-resolved then reads the file and
// leaves it alone, and its own address stays among the servers that are asked after ours.
type Resolver struct {
	Servers []string `json:"servers,omitempty"` // addresses, asked in this order
	Options []string `json:"options,omitempty"` // further lines, such as "options timeout:1"
	// Only leaves nothing else in the file; otherwise the servers that are there come after
	// ours, and are asked when ours do not answer. The C library asks three at most.
	Only bool `json:"only,omitempty"`
	// Absent takes our lines out of a file that has others. It does not bring the backup back.
	Absent bool `json:"absent,omitempty"`
}

func (r *Resolver) Kind() string { return "resolver" }
func (r *Resolver) Name() string { return resolvConf }

// resolvFile is the file as it is.
type resolvFile struct {
	text   string // of what it points to, where it is a link
	link   string // where it points to
	absent bool
}

func readResolv(h *Host) (resolvFile, error) {
	var f resolvFile
	path := h.Path(resolvConf)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return resolvFile{absent: true}, nil
	}
	if err != nil {
		return f, err
	}
	if info.Mode().Type() == fs.ModeSymlink {
		if f.link, err = os.Readlink(path); err != nil {
			return f, err
		}
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) { // a link to nothing: nobody has written it yet
		err = nil
	}
	f.text = string(text)
	return f, err
}

// Diff compares the file with what it has to say.
func (r *Resolver) Diff(_ context.Context, h *Host) (*Change, error) {
	now, err := readResolv(h)
	if err != nil {
		return nil, err
	}
	after, err := r.want(h, now)
	if err != nil {
		return nil, err
	}
	c := &Change{Action: Update}
	if now.absent && after != "" {
		c.Action = Create
	}
	if now.link != "" && !r.Absent {
		c.Add("type", "link to "+now.link, "file")
	}
	if after != now.text {
		c.Diff = udiff.Unified(resolvConf, resolvConf, now.text, after)
	}
	return c.OrNil(), nil
}

// want is the text that the file is to have.
func (r *Resolver) want(h *Host, now resolvFile) (string, error) {
	var names, rest []string
	for _, line := range r.Options {
		// The last line of these two kinds is the one that counts.
		if word, _, _ := strings.Cut(line, " "); word == "domain" || word == "search" {
			names = append(names, line)
		} else {
			rest = append(rest, line)
		}
	}
	for _, server := range r.Servers {
		rest = append(rest, "nameserver "+server)
	}
	if r.Only {
		return resolvHeader + strings.Join(append(rest, names...), "\n") + "\n", nil
	}
	text := now.text
	if strings.HasPrefix(text, resolvHeader) && !r.Absent {
		original, err := readBackup(h)
		if err != nil {
			return "", err
		}
		text = original
	}
	for _, b := range []Block{
		{Path: resolvConf, Marker: "dns", Lines: rest, First: true, Absent: r.Absent},
		{Path: resolvConf, Marker: "domain", Lines: names, Absent: r.Absent || len(names) == 0},
	} {
		var err error
		if text, err = b.splice(text); err != nil {
			return "", err
		}
	}
	return text, nil
}

// readBackup is the text of the backup without what was said about it; empty when there is none.
func readBackup(h *Host) (string, error) {
	text, err := os.ReadFile(h.Path(resolvBackup))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	lines := slices.DeleteFunc(strings.SplitAfter(string(text), "\n"), func(line string) bool {
		return strings.HasPrefix(line, backupNote)
	})
	return strings.Join(lines, ""), err
}

// Apply keeps the original, once, then writes the file.
func (r *Resolver) Apply(_ context.Context, h *Host) error {
	now, err := readResolv(h)
	if err != nil {
		return err
	}
	after, err := r.want(h, now)
	if err != nil {
		return err
	}
	if err := backUp(h, now); err != nil {
		return fmt.Errorf("keep the original of %s: %w", resolvConf, err)
	}
	path := h.Path(resolvConf)
	if r.Absent && now.link != "" {
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	uid, gid, err := h.ownership("", "")
	if err != nil {
		return err
	}
	return writeAtomic(path, []byte(after), 0o644, uid, gid)
}

// backUp writes the backup when there is none, of a file that is not ours yet, and says in it
// what it is.
func backUp(h *Host, now resolvFile) error {
	ours := strings.HasPrefix(now.text, resolvHeader) || strings.Contains(now.text, "# BEGIN pigsty ")
	if _, err := os.Lstat(h.Path(resolvBackup)); err == nil || now.absent || ours {
		return nil
	}
	note := backupNote + resolvConf + " as it was before the first change, on " + time.Now().UTC().Format(time.DateTime) + " UTC\n"
	if now.link != "" {
		note += backupNote + "it was a link to " + now.link + "; to have it back: ln -sf " + now.link + " " + resolvConf + "\n"
	}
	return writeAtomic(h.Path(resolvBackup), []byte(note+now.text), 0o644, -1, -1)
}

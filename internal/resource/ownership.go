package resource

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// errNotDirectory is what the system says of a path below something that is no folder.
var errNotDirectory = error(syscall.ENOTDIR)

// account is one line of /etc/passwd or /etc/group.
type account struct {
	name   string
	fields []string
}

// accounts reads a colon-separated account file of the node. It is read afresh each time: a
// step before may have added an account, and the file is small.
func (h *Host) accounts(file string) ([]account, error) {
	f, err := os.Open(h.Path(file))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []account
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if fields := strings.Split(lines.Text(), ":"); len(fields) >= 3 {
			all = append(all, account{fields[0], fields})
		}
	}
	return all, lines.Err()
}

// lookup returns the account of the given name, or ErrAbsent.
func (h *Host) lookup(file, name string) (account, error) {
	all, err := h.accounts(file)
	if err != nil {
		return account{}, err
	}
	for _, a := range all {
		if a.name == name {
			return a, nil
		}
	}
	return account{}, fmt.Errorf("%s in %s: %w", name, file, ErrAbsent)
}

// ownership resolves names to numbers. An empty owner is root; an empty group is the owner's
// own. In a Root that is not "/", everything belongs to the process, which need not be root.
func (h *Host) ownership(owner, group string) (uid, gid int, err error) {
	if h.Root != "" {
		return -1, -1, nil
	}
	if owner != "" && owner != "root" {
		a, err := h.lookup("/etc/passwd", owner)
		if err != nil {
			return 0, 0, err
		}
		if uid, err = strconv.Atoi(a.fields[2]); err != nil {
			return 0, 0, err
		}
		if gid, err = strconv.Atoi(a.fields[3]); err != nil {
			return 0, 0, err
		}
	}
	if group != "" {
		a, err := h.lookup("/etc/group", group)
		if err != nil {
			return 0, 0, err
		}
		if gid, err = strconv.Atoi(a.fields[2]); err != nil {
			return 0, 0, err
		}
	}
	return uid, gid, nil
}

// compareOwnership adds owner, group and mode to the change where they differ.
func compareOwnership(h *Host, info fs.FileInfo, owner, group string, mode fs.FileMode, c *Change) {
	c.Add("mode", fmt.Sprintf("%04o", permissions(info.Mode())), fmt.Sprintf("%04o", permissions(mode)))
	if h.Root != "" {
		return
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	uid, gid, err := h.ownership(owner, group)
	if err != nil {
		// The account comes with an earlier step.
		c.Add("owner", strconv.Itoa(int(stat.Uid)), owner)
		return
	}
	c.Add("owner", strconv.Itoa(int(stat.Uid)), strconv.Itoa(uid))
	c.Add("group", strconv.Itoa(int(stat.Gid)), strconv.Itoa(gid))
}

// permissions is the mode as chmod takes it: the nine bits plus set-user-ID, set-group-ID and
// sticky in their traditional places.
func permissions(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

// setOwnership gives the path its owner and mode.
func setOwnership(path string, uid, gid int, mode fs.FileMode) error {
	if err := os.Chown(path, uid, gid); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

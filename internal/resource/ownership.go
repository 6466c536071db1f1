package resource

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// errNotLink is what the system says when asked where a thing that is no link points.
var errNotLink = error(syscall.EINVAL)

// errNotDirectory is what the system says of a path below something that is no folder.
var errNotDirectory = error(syscall.ENOTDIR)

// ownership resolves names to numbers. An empty owner is root; an empty group is the owner's
// own. In a Root that is not "/", everything belongs to the process, which need not be root.
func (h *Host) ownership(owner, group string) (uid, gid int, err error) {
	if h.Root != "" {
		return -1, -1, nil
	}
	if owner != "" && owner != "root" {
		a, err := h.lookup(passwdFile, owner)
		if err != nil {
			return 0, 0, err
		}
		if uid, err = strconv.Atoi(a.field(2)); err != nil {
			return 0, 0, err
		}
		if gid, err = strconv.Atoi(a.field(3)); err != nil {
			return 0, 0, err
		}
	}
	if group != "" {
		a, err := h.lookup(groupFile, group)
		if err != nil {
			return 0, 0, err
		}
		if gid, err = strconv.Atoi(a.field(2)); err != nil {
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
		c.Add("owner", h.nameOf(passwdFile, int(stat.Uid)), owner+":"+group)
		return
	}
	if int(stat.Uid) != uid {
		c.Add("owner", h.nameOf(passwdFile, int(stat.Uid)), h.nameOf(passwdFile, uid))
	}
	if int(stat.Gid) != gid {
		c.Add("group", h.nameOf(groupFile, int(stat.Gid)), h.nameOf(groupFile, gid))
	}
}

// nameOf is the name of the account with the number, or the number where it has none.
func (h *Host) nameOf(file string, id int) string {
	a, err := h.find(file, strconv.Itoa(id), 2)
	if err != nil {
		return strconv.Itoa(id)
	}
	return a.name
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

package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

var (
	_ Resource = (*User)(nil)
	_          = Register(func() Resource { return &User{} })
)

// User is an OS user without a password. Fields left empty are the system's choice when the
// user is made and are not compared later.
type User struct {
	User   string   `json:"user"`
	UID    int      `json:"uid,omitempty"`    // 0 = the system chooses
	Group  string   `json:"group,omitempty"`  // primary group; empty = one of the user's own name
	Groups []string `json:"groups,omitempty"` // further groups; others the user is in are left
	Home   string   `json:"home,omitempty"`   // empty = /home/<user>
	Shell  string   `json:"shell,omitempty"`  // empty = /bin/bash, for System users nologin
	// Comment is the full name, or what the user is for.
	Comment string `json:"comment,omitempty"`
	// System takes a chosen number from the range for services.
	System bool `json:"system,omitempty"`
	// CreateHome makes the home folder, readable by the user alone.
	CreateHome bool `json:"create_home,omitempty"`
}

func (u *User) Kind() string { return "user" }
func (u *User) Name() string { return u.User }

func (u *User) home() string {
	if u.Home == "" {
		return "/home/" + u.User
	}
	return u.Home
}

// Diff compares what is given. Another number than the wanted one is an error: files on disk
// carry numbers, and changing the user's would hand them to nobody.
func (u *User) Diff(_ context.Context, h *Host) (*Change, error) {
	found, err := h.lookup(passwdFile, u.User)
	if errors.Is(err, ErrAbsent) {
		return u.creation(h)
	}
	if err != nil {
		return nil, err
	}
	if u.UID != 0 && found.field(2) != strconv.Itoa(u.UID) {
		return nil, fmt.Errorf("user %s has number %s here and %d is wanted: set the wanted number to %s, or move the user yourself (usermod -u, then chown its files)",
			u.User, found.field(2), u.UID, found.field(2))
	}
	c := &Change{Action: Update}
	for _, f := range []struct{ name, before, after string }{
		{"group", u.primary(h, found), u.Group},
		{"home", found.field(5), u.Home},
		{"shell", found.field(6), u.Shell},
		{"comment", found.field(4), u.Comment},
	} {
		if f.after != "" {
			c.Add(f.name, f.before, f.after)
		}
	}
	missing, err := u.missingGroups(h)
	if err != nil {
		return nil, err
	}
	c.Add("groups", "", strings.Join(missing, ", "))
	if u.CreateHome && !homeExists(h, u.homeOf(found)) {
		c.Add("home folder", "", u.homeOf(found))
	}
	return c.OrNil(), nil
}

// homeOf is the folder CreateHome is about: the given one, or the one the account has.
func (u *User) homeOf(found account) string {
	if u.Home == "" && found.field(5) != "" {
		return found.field(5)
	}
	return u.home()
}

func homeExists(h *Host, home string) bool {
	_, err := os.Stat(h.Path(home))
	return !errors.Is(err, fs.ErrNotExist)
}

func (u *User) creation(h *Host) (*Change, error) {
	c := &Change{Action: Create}
	c.Add("group", "", u.Group)
	c.Add("groups", "", strings.Join(u.Groups, ", "))
	c.Add("home", "", u.home())
	if u.UID == 0 {
		return c, nil
	}
	number := strconv.Itoa(u.UID)
	c.Add("uid", "", number)
	other, err := h.find(passwdFile, number, 2)
	if errors.Is(err, ErrAbsent) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("user %s is to have number %d, which is taken by user %s: choose another number", u.User, u.UID, other.name)
}

// primary is the name of the account's primary group, or its number where it has no name.
func (u *User) primary(h *Host, found account) string {
	g, err := h.find(groupFile, found.field(3), 2)
	if err != nil {
		return found.field(3)
	}
	return g.name
}

// missingGroups are those of Groups that the user is not in.
func (u *User) missingGroups(h *Host) ([]string, error) {
	in, err := h.groupsOf(u.User)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, name := range u.Groups {
		if name != u.Group && !slices.ContainsFunc(in, func(g account) bool { return g.name == name }) {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

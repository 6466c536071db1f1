package resource

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
)

// Apply makes the user, or changes what differs.
func (u *User) Apply(ctx context.Context, h *Host) error {
	found, err := h.lookup(passwdFile, u.User)
	if errors.Is(err, ErrAbsent) {
		argv, err := u.useradd(h)
		if err != nil {
			return err
		}
		return h.run(ctx, argv...)
	}
	if err != nil {
		return err
	}
	if err := u.modify(ctx, h, found); err != nil {
		return err
	}
	if u.CreateHome {
		return u.makeHome(h, found)
	}
	return nil
}

func (u *User) useradd(h *Host) ([]string, error) {
	argv := []string{"useradd", "--home-dir", u.home()}
	if u.System {
		argv = append(argv, "--system")
	}
	if u.UID != 0 {
		argv = append(argv, "--uid", strconv.Itoa(u.UID))
	}
	switch _, err := h.lookup(groupFile, u.User); {
	case u.Group != "":
		argv = append(argv, "--gid", u.Group)
	case err == nil:
		// useradd refuses to make the user's own group when it is there.
		argv = append(argv, "--gid", u.User)
	case errors.Is(err, ErrAbsent):
		argv = append(argv, "--user-group")
	default:
		return nil, err
	}
	if len(u.Groups) > 0 {
		argv = append(argv, "--groups", strings.Join(u.Groups, ","))
	}
	if u.Comment != "" {
		argv = append(argv, "--comment", u.Comment)
	}
	home := "--no-create-home"
	if u.CreateHome {
		home = "--create-home"
	}
	return append(argv, "--shell", u.shell(), home, u.User), nil
}

func (u *User) shell() string {
	switch {
	case u.Shell != "":
		return u.Shell
	case u.System:
		return "/usr/sbin/nologin"
	default:
		return "/bin/bash"
	}
}

// modify changes the account's fields that are given and differ, in one call.
func (u *User) modify(ctx context.Context, h *Host, found account) error {
	argv := []string{"usermod"}
	for _, f := range []struct{ option, before, after string }{
		{"--gid", u.primary(h, found), u.Group},
		{"--home", found.field(5), u.Home},
		{"--shell", found.field(6), u.Shell},
		{"--comment", found.field(4), u.Comment},
	} {
		if f.after != "" && f.before != f.after {
			argv = append(argv, f.option, f.after)
		}
	}
	missing, err := u.missingGroups(h)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		argv = append(argv, "--append", "--groups", strings.Join(missing, ","))
	}
	if len(argv) == 1 {
		return nil
	}
	return h.run(ctx, append(argv, u.User)...)
}

// makeHome makes the folder of a user that exists, as useradd would have.
func (u *User) makeHome(h *Host, found account) error {
	home := u.homeOf(found)
	if homeExists(h, home) {
		return nil
	}
	uid, gid, err := h.ownership(u.User, u.Group)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(h.Path(home), 0o755); err != nil {
		return err
	}
	return setOwnership(h.Path(home), uid, gid, 0o700)
}

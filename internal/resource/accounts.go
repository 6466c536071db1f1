package resource

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

const (
	passwdFile = "/etc/passwd"
	groupFile  = "/etc/group"
)

// account is one line of /etc/passwd or /etc/group.
type account struct {
	name   string
	fields []string
}

// field returns a field by its place, empty where the line is too short.
func (a account) field(n int) string {
	if n < len(a.fields) {
		return a.fields[n]
	}
	return ""
}

// members are the names in a group's last field.
func (a account) members() []string {
	return strings.FieldsFunc(a.field(3), func(r rune) bool { return r == ',' })
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
	return h.find(file, name, 0)
}

// UserID is the number of the node's user of the given name; ErrAbsent when there is none.
func (h *Host) UserID(name string) (int, error) {
	a, err := h.lookup(passwdFile, name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(a.field(2))
}

// find returns the first account with the given text in a field, or ErrAbsent.
func (h *Host) find(file, text string, field int) (account, error) {
	all, err := h.accounts(file)
	if err != nil {
		return account{}, err
	}
	for _, a := range all {
		if a.field(field) == text {
			return a, nil
		}
	}
	return account{}, fmt.Errorf("%s in %s: %w", text, file, ErrAbsent)
}

// groupsOf returns the groups that list the user as a member.
func (h *Host) groupsOf(user string) ([]account, error) {
	all, err := h.accounts(groupFile)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(g account) bool { return !slices.Contains(g.members(), user) }), nil
}

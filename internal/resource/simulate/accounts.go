package simulate

import (
	"errors"
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

func (e *Executor) groupadd(args []string) error {
	words, given := options(args, "--gid")
	if len(words) != 1 {
		return fmt.Errorf("simulated groupadd does not understand %q", args)
	}
	return e.node.addGroup(words[0], given["--gid"], hasOption(given, "--system"))
}

func (e *Executor) useradd(args []string) error {
	words, given := options(args, "--uid", "--gid", "--groups", "--home-dir", "--shell", "--comment")
	if len(words) != 1 {
		return fmt.Errorf("simulated useradd does not understand %q", args)
	}
	user, system := words[0], hasOption(given, "--system")
	group := given["--gid"]
	if group == "" {
		group = user
		if err := e.node.addGroup(user, "", system); err != nil {
			return err
		}
	}
	gid, err := e.node.number(groupFile, group)
	if err != nil {
		return err
	}
	uid := given["--uid"]
	if uid == "" {
		if uid, err = e.node.freeNumber(passwdFile, system); err != nil {
			return err
		}
	}
	line := strings.Join([]string{user, "x", uid, gid, given["--comment"], given["--home-dir"], given["--shell"]}, ":")
	if err := e.node.addAccount(passwdFile, user, line); err != nil {
		return err
	}
	if hasOption(given, "--create-home") {
		if err := os.MkdirAll(e.node.path(given["--home-dir"]), 0o700); err != nil {
			return err
		}
	}
	return e.node.join(user, given["--groups"])
}

func (e *Executor) usermod(args []string) error {
	words, given := options(args, "--gid", "--groups", "--home", "--shell", "--comment")
	if len(words) != 1 {
		return fmt.Errorf("simulated usermod does not understand %q", args)
	}
	if group, ok := given["--gid"]; ok {
		gid, err := e.node.number(groupFile, group)
		if err != nil {
			return err
		}
		given["--gid"] = gid
	}
	err := e.node.edit(passwdFile, words[0], func(fields []string) {
		for place, option := range map[int]string{3: "--gid", 4: "--comment", 5: "--home", 6: "--shell"} {
			if value, ok := given[option]; ok {
				fields[place] = value
			}
		}
	})
	return errors.Join(err, e.node.join(words[0], given["--groups"]))
}

func (n node) addGroup(name, gid string, system bool) error {
	if gid == "" {
		var err error
		if gid, err = n.freeNumber(groupFile, system); err != nil {
			return err
		}
	}
	return n.addAccount(groupFile, name, name+":x:"+gid+":")
}

// join makes the user a member of the groups, given with commas between them.
func (n node) join(user, groups string) error {
	for _, group := range strings.FieldsFunc(groups, func(r rune) bool { return r == ',' }) {
		err := n.edit(groupFile, group, func(fields []string) {
			if members := strings.Split(fields[3], ","); !slices.Contains(members, user) {
				fields[3] = strings.Trim(fields[3]+","+user, ",")
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (n node) addAccount(file, name, line string) error {
	if _, err := n.number(file, name); err == nil {
		return fmt.Errorf("%s is in %s already", name, file)
	}
	text, err := n.read(file)
	if err != nil {
		return err
	}
	return n.write(file, text+line+"\n")
}

// edit changes the fields of one account.
func (n node) edit(file, name string, change func(fields []string)) error {
	text, err := n.read(file)
	if err != nil {
		return err
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if fields := strings.Split(line, ":"); fields[0] == name {
			change(fields)
			lines[i] = strings.Join(fields, ":")
			return n.write(file, strings.Join(lines, "\n"))
		}
	}
	return fmt.Errorf("%s is not in %s", name, file)
}

func (n node) number(file, name string) (string, error) {
	number := ""
	err := n.edit(file, name, func(fields []string) { number = fields[2] })
	return number, err
}

// freeNumber is the first number that is not taken, from 1000 up or from 999 down for services.
func (n node) freeNumber(file string, system bool) (string, error) {
	text, err := n.read(file)
	if err != nil {
		return "", err
	}
	taken := map[string]bool{}
	for line := range strings.SplitSeq(text, "\n") {
		if fields := strings.Split(line, ":"); len(fields) > 2 {
			taken[fields[2]] = true
		}
	}
	number, step := 1000, 1
	if system {
		number, step = 999, -1
	}
	for taken[strconv.Itoa(number)] {
		number += step
	}
	return strconv.Itoa(number), nil
}

package simulate

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"pigsty/internal/resource"
)

const (
	statusFile = "/var/lib/dpkg/status"
	updatesDir = "/var/lib/dpkg/updates"
	listsDir   = "/var/lib/apt/lists"
	listsFile  = listsDir + "/simulated_Packages"
	policyFile = "/usr/sbin/policy-rc.d"
)

// brings are the units of packages that bring others than one of their own name.
var brings = map[string][]string{
	"docker.io":         {"docker.service", "docker.socket"},
	"etcd-server":       {"etcd.service"},
	"grafana-loki":      {"loki.service"},
	"openssh-server":    {"ssh.service"},
	"postgresql-common": {"postgresql.service", "postgresql@.service"},
	"systemd":           {"systemd-networkd.service", "systemd-journald.service"},
	"vip-manager2":      {"vip-manager.service"},
}

// unitText is a package's unit: it can be enabled and does nothing.
const unitText = "[Service]\nExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n"

// aptGet knows "update" and "install". As with the real one, nothing is known before the first
// update.
func (e *Executor) aptGet(args []string) error {
	words, _ := options(args, "-o")
	if len(words) == 1 && words[0] == "update" {
		now := time.Now()
		return errors.Join(e.node.write(listsFile, ""), os.Chtimes(e.node.path(listsDir), now, now))
	}
	if len(words) < 2 || words[0] != "install" {
		return fmt.Errorf("simulated apt-get does not understand %q", args)
	}
	var unknown []string
	for _, p := range words[1:] {
		if name, _, _ := strings.Cut(p, "="); slices.Contains(e.Unknown, name) || !e.node.exists(listsFile) {
			unknown = append(unknown, "E: Unable to locate package "+name)
		}
	}
	if len(unknown) > 0 {
		return &resource.CommandError{Argv: append([]string{"apt-get"}, args...), Output: strings.Join(unknown, "\n"), Err: errors.New("exit status 100")}
	}
	for _, p := range words[1:] {
		if err := e.node.install(p); err != nil {
			return err
		}
	}
	return nil
}

// policy is apt-cache policy: everything has a version to install but what is unknown.
func (e *Executor) policy(args []string) ([]byte, error) {
	if len(args) == 0 || args[0] != "policy" {
		return nil, fmt.Errorf("simulated apt-cache does not understand %q", args)
	}
	var b strings.Builder
	for _, name := range args[1:] {
		if !slices.Contains(e.Unknown, name) {
			b.WriteString(name + ":\n  Installed: (none)\n  Candidate: 1.0\n")
		}
	}
	return []byte(b.String()), nil
}

// dpkg knows "--configure -a": what an interruption left is finished.
func (e *Executor) dpkg(args []string) error {
	if _, given := options(args); !hasOption(given, "--configure") || !hasOption(given, "-a") {
		return fmt.Errorf("simulated dpkg does not understand %q", args)
	}
	text, err := e.node.read(statusFile)
	if err != nil {
		return err
	}
	for _, state := range []string{"half-configured", "half-installed", "unpacked"} {
		text = strings.ReplaceAll(text, "Status: install ok "+state, "Status: install ok installed")
	}
	return errors.Join(e.node.write(statusFile, text), os.RemoveAll(e.node.path(updatesDir)))
}

func hasOption(given map[string]string, name string) bool {
	_, ok := given[name]
	return ok
}

// install enters a package, given as "name" or "name=version", into dpkg's status, and brings
// its units: enabled, and started unless a policy forbids it, as Debian does.
func (n node) install(p string) error {
	name, version, pinned := strings.Cut(p, "=")
	if !pinned {
		version = "1.0"
	}
	text, err := n.read(statusFile)
	if err != nil {
		return err
	}
	stanzas := strings.SplitAfter(text, "\n\n")
	stanzas = slices.DeleteFunc(stanzas, func(s string) bool { return strings.HasPrefix(s, "Package: "+name+"\n") })
	text = strings.Join(stanzas, "") + "Package: " + name + "\nStatus: install ok installed\nVersion: " + strings.ReplaceAll(version, "*", "") + "\n\n"
	if err := n.write(statusFile, text); err != nil {
		return err
	}
	for _, unit := range append([]string{name + ".service"}, brings[name]...) {
		if err := n.installUnit(unit); err != nil {
			return err
		}
	}
	return nil
}

func (n node) installUnit(unit string) error {
	if n.exists(vendorDir + "/" + unit) {
		return nil
	}
	if err := n.write(vendorDir+"/"+unit, unitText); err != nil {
		return err
	}
	if strings.Contains(unit, "@.") || n.masked(unit) {
		return nil
	}
	if err := n.enable(unit); err != nil || n.exists(policyFile) {
		return err
	}
	return n.write(activeDir+"/"+unit, unitText)
}

package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

var (
	_ Resource = (*Packages)(nil)
	_          = Register(func() Resource { return &Packages{} })
)

// Packages is a set of distribution packages that are installed. Packages that are there are
// left at their version unless one is asked for. No service starts by being installed: it
// starts once it is configured, which its Unit sees to.
type Packages struct {
	ID string `json:"id"` // what the set is for, such as "etcd"; shown in plans
	// Packages are names as apt knows them, each alone or as "name=version" (a version may end
	// in *). A virtual name is satisfied by any package that provides it.
	Packages []string `json:"packages"`
	// Recommends installs recommended packages too; off by default.
	Recommends bool `json:"recommends,omitempty"`
	// Without says what it means to do without the packages, such as "logs are not collected". The
	// node may then have no repository with them; see Unavailable. Empty = they are needed.
	Without string `json:"without,omitempty"`
	// Index is the address, by file: or http:, of the index of the repository that the node is to take
	// packages from; see Unavailable. Empty where it is nobody's in particular.
	Index string `json:"index,omitempty"`
	// Remark is told when something is to be installed; empty when there is nothing to say of it.
	Remark string `json:"remark,omitempty"`
}

func (p *Packages) Kind() string { return "packages" }
func (p *Packages) Name() string { return p.ID }

// Diff lists what is not installed, or not in the version asked for.
func (p *Packages) Diff(ctx context.Context, h *Host) (*Change, error) {
	status, err := h.packages()
	if err != nil {
		return nil, err
	}
	c := &Change{Action: Update}
	missing := p.missing(status)
	if p.Without != "" && len(missing) > 0 {
		none, err := unavailable(ctx, h, missing, p.Index)
		if err != nil || len(none) > 0 {
			return nil, errors.Join(err, p.goWithout(none))
		}
	}
	for _, want := range missing {
		name, version, pinned := strings.Cut(want, "=")
		if !pinned {
			version = "installed"
		}
		before := ""
		if e := status.packages[name]; e.installed() {
			before = e.version
		} else {
			c.Action = Create
		}
		c.Add(name, before, version)
	}
	if len(c.Fields) > 0 && p.Remark != "" {
		h.Note("%s", p.Remark)
	}
	if policyLeftOver(h) {
		c.Add(policyFile, "left by an interrupted run", "removed")
	}
	return c.OrNil(), nil
}

// goWithout is nil when none is missing.
func (p *Packages) goWithout(none []string) error {
	if len(none) == 0 {
		return nil
	}
	return &Unavailable{fmt.Sprintf("%s: no repository of this node has %s; docs/infra.md says where to get it", p.Without, strings.Join(none, ", "))}
}

func (p *Packages) missing(status *dpkgStatus) []string {
	var missing []string
	for _, want := range p.Packages {
		if !status.has(want) {
			missing = append(missing, want)
		}
	}
	return missing
}

// Apply finishes what an interrupted dpkg left, then installs what is missing in one go.
func (p *Packages) Apply(ctx context.Context, h *Host) (err error) {
	if err := forbidServiceStarts(h); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, allowServiceStarts(h)) }()
	if err := repairDpkg(ctx, h); err != nil {
		return err
	}
	status, err := h.packages()
	if err != nil {
		return err
	}
	missing := p.missing(status)
	if len(missing) == 0 {
		return nil
	}
	if err := aptInstall(ctx, h, missing, p.Recommends); err != nil {
		if p.Without != "" && errors.Is(err, errUnknownPackage) {
			return p.goWithout(missing)
		}
		return err
	}
	if status, err = h.packages(); err != nil {
		return err
	}
	if missing = p.missing(status); len(missing) > 0 {
		return fmt.Errorf("apt reports success, and yet these are not installed: %s", strings.Join(missing, ", "))
	}
	return nil
}

// policyFile is asked by maintainer scripts before they start a service (invoke-rc.d,
// deb-systemd-invoke); exit code 101 says no.
const (
	policyFile = "/usr/sbin/policy-rc.d"
	policyText = "#!/bin/sh\n# pigsty: services start once they are configured; this file goes when the installation ends.\ncase \"$2\" in reload|force-reload) exit 0;; esac\nexit 101\n"
)

// policyLeftOver tells whether our policy is in force although nothing is being installed.
func policyLeftOver(h *Host) bool {
	text, err := os.ReadFile(h.Path(policyFile))
	return err == nil && string(text) == policyText
}

// forbidServiceStarts puts our policy in force. A policy of somebody else stays as it is.
func forbidServiceStarts(h *Host) error {
	path := h.Path(policyFile)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return h.WriteFile(policyFile, []byte(policyText), 0o755)
}

// allowServiceStarts lifts our policy, also one that a killed run left behind.
func allowServiceStarts(h *Host) error {
	if !policyLeftOver(h) {
		return nil
	}
	return os.Remove(h.Path(policyFile))
}

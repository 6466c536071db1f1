package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"pigsty/internal/deb"
)

// RepositoryPreferences has the versions of the local repository win over newer ones, in the form of
// apt's preferences. It is on nodes that take packages from that repository, and apt reads it only
// when it is told to.
const RepositoryPreferences = "/etc/pigsty/repository.pref"

// aptInstallBack installs what could not be installed because the node's own packages are newer than
// those of the local repository, as they are when a repository was filled before the node's minor
// release came out. Those that the installation depends on by their exact version go back to the
// repository's. Where there is no such repository, or that does not help either, why is what was
// wrong before.
func aptInstallBack(ctx context.Context, h *Host, packages []string, recommends bool, why error) error {
	if _, err := os.Lstat(h.Path(RepositoryPreferences)); errors.Is(err, fs.ErrNotExist) {
		return why
	}
	before, err := h.packages()
	if err != nil {
		return err
	}
	err = aptInstallOnce(ctx, h, packages, recommends, "--allow-downgrades", "-o", "Dir::Etc::preferences="+RepositoryPreferences)
	if err != nil {
		if aptUnmet(err) {
			return why
		}
		return err
	}
	after, err := h.packages()
	if err != nil {
		return err
	}
	if back := wentBack(before, after); len(back) > 0 {
		h.Note("the local repository is older than this node, and took packages back to its versions: %s; build it anew (pigsty repo build)", strings.Join(back, ", "))
	}
	return nil
}

// wentBack are the packages that are older than before.
func wentBack(before, after *dpkgStatus) []string {
	var back []string
	for _, name := range slices.Sorted(maps.Keys(before.packages)) {
		was, is := before.packages[name], after.packages[name]
		if was.installed() && is.installed() && deb.Compare(is.version, was.version) < 0 {
			back = append(back, fmt.Sprintf("%s (%s, was %s)", name, is.version, was.version))
		}
	}
	return back
}

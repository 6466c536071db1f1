package resource

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// aptUnknown matches apt's three ways of saying that it knows no such package or version.
var aptUnknown = regexp.MustCompile(`E: (?:Unable to locate package (\S+)|Package '([^']+)' has no installation candidate|Version '([^']+)' for '([^']+)' was not found)`)

// errUnknownPackage begins what is said of packages that cannot be had.
var (
	errUnknownPackage = errors.New("no repository of this node")
	// aptUnfit matches what apt says of a package that does not fit: " perl : Depends: perl-base (= 5) but
	// 6 is to be installed".
	aptUnfit = regexp.MustCompile(`(?m)^ +\S+ : (?:Pre-?Depends|Depends|Conflicts|Breaks|Recommends): .*$`)
)

// aptOutput is what apt wrote before it failed.
func aptOutput(err error) string {
	if command, ok := errors.AsType[*CommandError](err); ok {
		return command.Output
	}
	return ""
}

// aptNotFound tells whether fresh package lists may help: a package is unknown, or its file is
// no longer where the lists say.
func aptNotFound(err error) bool {
	output := aptOutput(err)
	return aptUnknown.MatchString(output) || strings.Contains(output, "E: Failed to fetch")
}

// aptUnmet tells whether packages were found that do not fit together, or not those of the node.
func aptUnmet(err error) bool {
	output := aptOutput(err)
	return strings.Contains(output, "unmet dependencies") || strings.Contains(output, "Unable to correct problems")
}

// aptLocked tells whether another program holds apt's lists.
func aptLocked(err error) bool {
	return strings.Contains(aptOutput(err), "E: Could not get lock")
}

// AptUnknown are the packages that apt says it does not know; none when it failed for another reason.
func AptUnknown(err error) []string { return unknownPackages(aptOutput(err)) }

// AptUnmet tells whether apt failed because packages do not fit together.
func AptUnmet(err error) bool { return aptUnmet(err) }

// ExplainApt says what apt's failure means, and what to do where that is known.
func ExplainApt(err error) error { return explainApt(err) }

// explainApt says what apt's failure means, and what to do where that is known.
func explainApt(err error) error {
	output := aptOutput(err)
	if names := unknownPackages(output); len(names) > 0 {
		return fmt.Errorf("%w has %s: check the spelling, or add the repository that carries it", errUnknownPackage, strings.Join(names, ", "))
	}
	if aptLocked(err) {
		return fmt.Errorf("another program has been using apt for %s: wait for it to end and run again", aptLockWait)
	}
	said := aptUnfit.FindAllString(output, -1)
	for i := range said {
		said[i] = strings.TrimSpace(said[i])
	}
	for line := range strings.SplitSeq(output, "\n") {
		if strings.HasPrefix(line, "E: ") || strings.HasPrefix(line, "dpkg: error") {
			said = append(said, strings.TrimPrefix(line, "E: "))
		}
	}
	if len(said) == 0 {
		return err
	}
	return fmt.Errorf("apt: %s", strings.Join(slices.Compact(said), "; "))
}

func unknownPackages(output string) []string {
	var names []string
	for _, m := range aptUnknown.FindAllStringSubmatch(output, -1) {
		name := m[1] + m[2]
		if m[4] != "" {
			name = m[4] + "=" + m[3]
		}
		names = append(names, name)
	}
	return slices.Compact(names)
}

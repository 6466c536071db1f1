package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// versionFromGit stands in a recipe whose package is this repository itself.
const versionFromGit = "git"

// settle fills in what of a recipe is known only when the build begins.
func (b *builder) settle(ctx context.Context, r *recipe) error {
	r.version, r.told = r.Version, r.Version
	if r.ours() {
		r.told = cmp.Or(b.version, b.git(ctx, "describe", "--tags", "--always", "--dirty"), "devel")
		r.mtime = time.Now()
		if seconds, err := strconv.ParseInt(b.git(ctx, "log", "-1", "--format=%ct"), 10, 64); err == nil {
			r.mtime = time.Unix(seconds, 0)
		}
		r.version = packageVersion(r.told, r.mtime.UTC())
	}
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return fmt.Errorf("SOURCE_DATE_EPOCH %q: seconds since 1970 are needed", epoch)
		}
		r.mtime = time.Unix(seconds, 0)
	}
	r.mtime = r.mtime.UTC()
	return nil
}

// git asks git about the repository; where it cannot tell, the answer is empty.
func (b *builder) git(ctx context.Context, args ...string) string {
	out, err := runCommand(ctx, b.root, os.Environ(), append([]string{"git"}, args...)...)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(out)
}

var described = regexp.MustCompile(`^v?([0-9]+(?:\.[0-9]+)*)(?:-([A-Za-z][A-Za-z0-9.]*))??(?:-([0-9]+)-g([0-9a-f]+))?(-dirty)?$`)

var notInVersions = regexp.MustCompile(`[^A-Za-z0-9.+~]+`)

// packageVersion turns what git describes into a version that sorts as people expect: a candidate
// before its release, commits after the tag they follow, and a tree without tags before all.
func packageVersion(told string, date time.Time) string {
	m := described.FindStringSubmatch(told)
	if m == nil || !strings.Contains(m[1], ".") {
		return "0~git" + date.Format("20060102") + "." + notInVersions.ReplaceAllString(told, ".")
	}
	version := m[1]
	if m[2] != "" {
		version += "~" + m[2]
	}
	if m[3] != "" {
		version += "+" + m[3] + ".g" + m[4]
	}
	if m[5] != "" {
		version += "+dirty"
	}
	return version
}

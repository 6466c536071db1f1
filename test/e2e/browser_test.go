//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// browser is a real Chromium without a screen that finds nothing but one host.
type browser struct {
	t    *testing.T
	host string
}

// newBrowser installs Debian's Chromium where there is none.
func newBrowser(t *testing.T, host string) browser {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err == nil {
		return browser{t, host}
	}
	apt := func(args ...string) error {
		cmd := exec.CommandContext(t.Context(), "apt-get", append([]string{"-q", "-o", "DPkg::Lock::Timeout=600"}, args...)...)
		cmd.Env = append(cmd.Environ(), "DEBIAN_FRONTEND=noninteractive")
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = errors.Join(err, errors.New(string(out)))
		}
		return err
	}
	t.Log("installing on this host: chromium")
	if err := errors.Join(apt("update"), apt("install", "-y", "--no-install-recommends", "chromium")); err != nil {
		t.Fatal(err)
	}
	return browser{t, host}
}

// scriptTime is how long, by their own clock, the scripts of a page may work before it is looked at.
const scriptTime = "5000" // milliseconds

// page opens a path of the host and returns the document as its scripts have made it. What they
// complain of fails the test.
func (b browser) page(path string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE "+b.host, "--user-data-dir="+b.t.TempDir(),
		"--enable-logging=stderr", "--virtual-time-budget="+scriptTime, "--dump-dom", "http://"+b.host+path)
	cmd.WaitDelay = 5 * time.Second // its helpers may hold the pipes
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	dom, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("chromium, of %s: %v\n%s", path, err, complaints.String())
	}
	for line := range strings.Lines(complaints.String()) {
		if strings.Contains(line, "CONSOLE") {
			b.t.Errorf("%s: %s", path, strings.TrimSpace(line))
		}
	}
	return string(dom)
}

// attribute is what the first element that has one attribute with a value has as another; empty if
// there is none.
func attribute(dom, key, value, other string) string {
	element := regexp.MustCompile(`<[a-z]+ [^>]*\b` + key + `="` + regexp.QuoteMeta(value) + `"[^>]*>`).FindString(dom)
	if found := regexp.MustCompile(`\b` + other + `="([^"]*)"`).FindStringSubmatch(element); found != nil {
		return found[1]
	}
	return ""
}

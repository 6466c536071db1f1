package resource_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

// aptCalls are the commands the node ran, shortened to what matters here.
func aptCalls(h *resource.Host) []string {
	var short []string
	for _, line := range h.Exec.(*simulate.Executor).Calls() {
		words := strings.Fields(line)
		kept := words[:1]
		for i := 1; i < len(words); i++ {
			switch {
			case words[i] == "-o":
				i++
			case !strings.HasPrefix(words[i], "-") || words[i] == "--configure" || words[i] == "--allow-downgrades":
				kept = append(kept, words[i])
			}
		}
		short = append(short, strings.Join(kept, " "))
	}
	return short
}

func expectCalls(t *testing.T, h *resource.Host, want ...string) {
	t.Helper()
	if got := aptCalls(h); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("commands\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func expectNoPolicy(t *testing.T, h *resource.Host) {
	t.Helper()
	if exists(h, "/usr/sbin/policy-rc.d") {
		t.Error("policy-rc.d is left behind")
	}
}

func TestPackages(t *testing.T) {
	h := newNode(t)
	p := &resource.Packages{ID: "etcd", Packages: []string{"etcd-server", "curl", "etcd-client"}}
	c := converge(t, h, p, resource.Create)
	if len(c.Fields) != 2 {
		t.Errorf("fields %+v", c.Fields)
	}
	expectField(t, c, "etcd-server", "", "installed")
	expectCalls(t, h, "apt-get update", "apt-get install etcd-server etcd-client")
	expectNoPolicy(t, h)
	state, err := h.Systemd.State(context.Background(), "etcd.service")
	if err != nil || state.Active != "inactive" {
		t.Errorf("a service started by being installed: %+v, %v", state, err)
	}
}

func TestPackageVersions(t *testing.T) {
	h := newNode(t)
	p := &resource.Packages{ID: "patroni", Packages: []string{"patroni=4.0.7"}}
	converge(t, h, p, resource.Create)
	p.Packages = []string{"patroni=4.0.6*"}
	expectField(t, converge(t, h, p, resource.Update), "patroni", "4.0.7", "4.0.6*")
	quiet(t, h, &resource.Packages{ID: "p", Packages: []string{"patroni"}})
	calls := aptCalls(h)
	if last := calls[len(calls)-1]; last != "apt-get install --allow-downgrades patroni=4.0.6*" {
		t.Errorf("last command %q", last)
	}
}

func TestVirtualPackage(t *testing.T) {
	h := newNode(t)
	status := get(t, h, "/var/lib/dpkg/status")
	put(t, h, "/var/lib/dpkg/status", status+"Package: exim4\nStatus: install ok installed\nVersion: 1\nProvides: default-mta (= 1), mail-transport-agent\n\n")
	quiet(t, h, &resource.Packages{ID: "mail", Packages: []string{"mail-transport-agent", "default-mta"}})
	put(t, h, "/var/lib/dpkg/status", status+"Package: exim4\nStatus: deinstall ok config-files\nVersion: 1\nProvides: mail-transport-agent\n\n")
	if diff(t, h, &resource.Packages{ID: "mail", Packages: []string{"mail-transport-agent"}}) == nil {
		t.Error("a removed package still provides")
	}
}

func TestPackagesRefreshLists(t *testing.T) {
	day := func(n float64) time.Time { return time.Now().Add(-time.Duration(n * 24 * float64(time.Hour))) }
	tests := []struct {
		name           string
		lists, sources time.Time // when they changed; zero = not there
		want           []string
	}{
		{"no lists", time.Time{}, time.Time{}, []string{"apt-get update", "apt-get install jq"}},
		{"fresh lists", day(0.5), day(30), []string{"apt-get install jq"}},
		{"old lists", day(1.5), day(30), []string{"apt-get update", "apt-get install jq"}},
		{"a repository was added", day(0.5), day(0.1), []string{"apt-get update", "apt-get install jq"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newNode(t)
			if !test.lists.IsZero() {
				put(t, h, "/var/lib/apt/lists/debian_Packages", "")
				put(t, h, "/var/lib/apt/lists/simulated_Packages", "")
				age(t, h, "/var/lib/apt/lists", test.lists)
			}
			if !test.sources.IsZero() {
				put(t, h, "/etc/apt/sources.list.d/pigsty.sources", "")
				age(t, h, "/etc/apt/sources.list.d/pigsty.sources", test.sources)
				age(t, h, "/etc/apt/sources.list.d", test.sources)
			}
			converge(t, h, &resource.Packages{ID: "jq", Packages: []string{"jq"}}, resource.Create)
			expectCalls(t, h, test.want...)
		})
	}
}

func age(t *testing.T, h *resource.Host, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(h.Path(path), at, at); err != nil {
		t.Fatal(err)
	}
}

func TestPackagesRetryWithFreshLists(t *testing.T) {
	h := newNode(t)
	put(t, h, "/var/lib/apt/lists/debian_Packages", "")
	converge(t, h, &resource.Packages{ID: "jq", Packages: []string{"jq"}}, resource.Create)
	expectCalls(t, h, "apt-get install jq", "apt-get update", "apt-get install jq")
}

func TestPackagesWithoutNetwork(t *testing.T) {
	h := newNode(t)
	put(t, h, "/var/lib/apt/lists/simulated_Packages", "")
	age(t, h, "/var/lib/apt/lists", time.Now().Add(-72*time.Hour))
	offline(h)
	converge(t, h, &resource.Packages{ID: "jq", Packages: []string{"jq"}}, resource.Create)
	if notes := h.TakeNotes(); len(notes) != 1 || !strings.Contains(notes[0], "Temporary failure resolving") {
		t.Errorf("notes %q", notes)
	}
}

// offline makes every refresh of the package lists fail.
func offline(h *resource.Host) {
	h.Exec.(*simulate.Executor).Fail = func(argv []string) error {
		if argv[1] != "update" {
			return nil
		}
		return &resource.CommandError{Argv: argv, Output: "E: Failed to fetch http://x  Temporary failure resolving 'x'", Err: errors.New("exit status 100")}
	}
}

func TestUnknownPackageIsNamed(t *testing.T) {
	h := newNode(t)
	h.Exec.(*simulate.Executor).Unknown = []string{"patronny", "etdc"}
	err := (&resource.Packages{ID: "x", Packages: []string{"patronny", "jq", "etdc"}}).Apply(context.Background(), h)
	if err == nil || !strings.Contains(err.Error(), "no repository of this node has patronny, etdc: check the spelling") {
		t.Errorf("error %v", err)
	}
	expectNoPolicy(t, h)
}

func TestPackagesWithoutListsOrNetwork(t *testing.T) {
	h := newNode(t)
	offline(h)
	err := (&resource.Packages{ID: "x", Packages: []string{"jq"}}).Apply(context.Background(), h)
	if err == nil || !strings.Contains(err.Error(), "refresh the package lists: apt: Failed to fetch") {
		t.Errorf("error %v", err)
	}
}

func TestInterruptedDpkgIsFinished(t *testing.T) {
	h := newNode(t)
	status := get(t, h, "/var/lib/dpkg/status")
	put(t, h, "/var/lib/dpkg/status", status+"Package: jq\nStatus: install ok half-configured\nVersion: 1\n\n")
	p := &resource.Packages{ID: "jq", Packages: []string{"jq"}}
	converge(t, h, p, resource.Create)
	expectCalls(t, h, "dpkg --configure")

	put(t, h, "/var/lib/dpkg/updates/0001", "")
	put(t, h, "/var/lib/apt/lists/simulated_Packages", "")
	p.Packages = append(p.Packages, "yq")
	converge(t, h, p, resource.Create)
	expectCalls(t, h, "dpkg --configure", "dpkg --configure", "apt-get install yq")
}

func TestPolicyLeftByKilledRunGoes(t *testing.T) {
	h := newNode(t)
	p := &resource.Packages{ID: "jq", Packages: []string{"jq"}}
	h.Exec.(*simulate.Executor).Fail = func(argv []string) error {
		if argv[1] == "install" {
			// What the node looks like when the agent is killed here.
			put(t, h, "/copy", get(t, h, "/usr/sbin/policy-rc.d"))
		}
		return nil
	}
	converge(t, h, p, resource.Create)
	put(t, h, "/usr/sbin/policy-rc.d", get(t, h, "/copy"))
	expectField(t, converge(t, h, p, resource.Update), "/usr/sbin/policy-rc.d", "left by an interrupted run", "removed")
	expectNoPolicy(t, h)

	put(t, h, "/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n")
	p.Packages = append(p.Packages, "yq")
	converge(t, h, p, resource.Create)
	if get(t, h, "/usr/sbin/policy-rc.d") != "#!/bin/sh\nexit 0\n" {
		t.Error("somebody else's policy was touched")
	}
}

func TestPackagesNeedDpkg(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	refused(t, h, &resource.Packages{ID: "x", Packages: []string{"jq"}}, "only Debian")
}

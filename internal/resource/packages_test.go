package resource_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
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

// Where the local repository is older than the node, a package that insists on the repository's own
// version of another takes that one back, and this is told.
func TestPackagesOfAnOlderRepository(t *testing.T) {
	unmet := &resource.CommandError{Argv: []string{"apt-get"}, Output: "The following packages have unmet dependencies:\n perl : Depends: perl-base (= 5.40-5) but 5.40-6 is to be installed\nE: Unable to correct problems, you have held broken packages.", Err: errors.New("exit status 100")}
	fail := func(h *resource.Host, back bool) {
		h.Exec.(*simulate.Executor).Fail = func(argv []string) error {
			switch {
			case argv[1] != "install":
				return nil
			case !slices.Contains(argv, "Dir::Etc::preferences="+resource.RepositoryPreferences):
				return unmet
			case !back:
				return unmet
			}
			status := get(t, h, "/var/lib/dpkg/status")
			put(t, h, "/var/lib/dpkg/status", strings.Replace(status, "Version: 5.40-6", "Version: 5.40-5", 1))
			return nil
		}
	}
	node := func() *resource.Host {
		h := newNode(t)
		put(t, h, "/var/lib/apt/lists/simulated_Packages", "")
		put(t, h, "/var/lib/dpkg/status", get(t, h, "/var/lib/dpkg/status")+"Package: perl-base\nStatus: install ok installed\nVersion: 5.40-6\n\n")
		return h
	}
	p := &resource.Packages{ID: "perl", Packages: []string{"perl"}}

	h := node()
	put(t, h, resource.RepositoryPreferences, "Package: *\n")
	fail(h, true)
	converge(t, h, p, resource.Create)
	if notes := strings.Join(h.TakeNotes(), "\n"); !strings.Contains(notes, "perl-base (5.40-5, was 5.40-6); build it anew") {
		t.Errorf("notes %q", notes)
	}

	h = node()
	put(t, h, resource.RepositoryPreferences, "Package: *\n")
	fail(h, false)
	if err := p.Apply(context.Background(), h); err == nil || !strings.Contains(err.Error(), "perl-base (= 5.40-5)") {
		t.Errorf("error %v", err)
	}

	h = node()
	fail(h, true)
	if err := p.Apply(context.Background(), h); err == nil || len(h.Exec.(*simulate.Executor).Calls()) != 1 {
		t.Errorf("without a local repository: %v, %q", err, h.Exec.(*simulate.Executor).Calls())
	}
}

// What no repository has is gone without, unless apt's lists are of an older state of the repository
// than the one that is offered, or there are none of it.
func TestPackagesThatCanBeDoneWithout(t *testing.T) {
	const lists = "/var/lib/apt/lists/_www_a%5fb_dists_trixie_InRelease"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/a_b/dists/trixie/InRelease" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("new"))
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	tests := []struct {
		name, index, list, text string
		omitted                 bool
	}{
		{"nobody's in particular", "", "", "", true},
		{"not fetched yet", "file:/www/a_b/dists/trixie/InRelease", "", "", false},
		{"as it is offered", "file:/www/a_b/dists/trixie/InRelease", lists, "new", true},
		{"built anew since", "file:/www/a_b/dists/trixie/InRelease", lists, "old", false},
		{"gone from the disk", "file:/www/none/dists/trixie/InRelease", "/var/lib/apt/lists/_www_none_dists_trixie_InRelease", "old", true},
		{"as the web server offers it", server.URL + "/a_b/dists/trixie/InRelease", "/var/lib/apt/lists/" + host + "_a%5fb_dists_trixie_InRelease", "new", true},
		{"built anew on the web server", server.URL + "/a_b/dists/trixie/InRelease", "/var/lib/apt/lists/" + host + "_a%5fb_dists_trixie_InRelease", "old", false},
		{"no answer to be had", server.URL + "/none/dists/trixie/InRelease", "/var/lib/apt/lists/" + host + "_none_dists_trixie_InRelease", "old", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newNode(t)
			h.Dial = nil
			h.Exec.(*simulate.Executor).Unknown = []string{"grafana"}
			put(t, h, "/var/lib/apt/lists/debian_Packages", "")
			put(t, h, "/www/a_b/dists/trixie/InRelease", "new")
			if test.list != "" {
				put(t, h, test.list, test.text)
			}
			p := &resource.Packages{ID: "grafana", Packages: []string{"grafana"}, Without: "no dashboards", Index: test.index}
			change, err := p.Diff(t.Context(), h)
			_, omitted := errors.AsType[*resource.Unavailable](err)
			if omitted != test.omitted || !omitted && (err != nil || change == nil) {
				t.Errorf("change %v, error %v", change, err)
			}
			if _, omitted := errors.AsType[*resource.Unavailable](p.Apply(t.Context(), h)); !omitted {
				t.Error("an apply does not say that it was left out")
			}
		})
	}
}

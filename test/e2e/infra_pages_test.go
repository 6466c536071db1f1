//go:build e2e

package e2e

import (
	"fmt"
	"strings"
)

// pages are the portal's as a browser shows them.
func (i *infrastructure) pages() {
	b := newBrowser(i.t, i.net+"10")
	i.settles("the home page shows that all is up", func() (bool, string) {
		return i.shows(b, "", "pg-meta-1", "pg-test-1", "pg-test-2", "pg-test-3")
	})
	// What is registered later, here by a file of the user's own, is on the page before that is written anew.
	const later = "/etc/prometheus/targets/pgsql/later.yml"
	onNode(i.t, i.nodes, "meta", "sh", "-c", "sed '1d; s/pg-test/pg-later/' /etc/prometheus/targets/pgsql/pg-test-2.yml >"+later)
	i.settles("the home page shows what it was not written with", func() (bool, string) {
		return i.shows(b, "pg-later", "pg-later-2", "pg-test-2")
	})
	onNode(i.t, i.nodes, "meta", "rm", later)
	i.settles("and not for longer than it is there", func() (bool, string) {
		dom := b.page("/")
		return !strings.Contains(dom, "pg-later"), dom
	})

	dom := b.page("/logs/#cls=pg-test&src=postgres&level=ERROR&text=lines+*/")
	if !strings.Contains(dom, "division by zero") || strings.Count(dom, `class="line bad"`) != 1 {
		i.t.Errorf("the page of logs does not show the one error asked for:\n%s", dom)
	}
	for _, path := range []string{"/docs/", "/docs/infra.html", "/schema/", "/report/"} {
		b.page(path)
	}
	for path, held := range map[string]bool{"/": true, "/logs/": true, "/docs/": true, "/report/": true, "/report/of-my-own.html": false} {
		response, err := i.client().Get("http://pigsty" + path)
		if err != nil {
			i.t.Fatal(err)
		}
		response.Body.Close()
		if policy := response.Header.Get("Content-Security-Policy"); strings.Contains(policy, "default-src 'self'") != held {
			i.t.Errorf("%s may ask other hosts: %v, want %v (%q)", path, !held, held, policy)
		}
	}
}

// shows tells whether the home page has a green dot for every node, for instances and their clusters;
// found is a cluster that it was not written with.
func (i *infrastructure) shows(b browser, found string, instances ...string) (bool, string) {
	dom := b.page("/")
	green := func(key, value string) bool { return attribute(dom, "data-"+key, value, "class") == "dot ok" }
	for _, ins := range instances {
		if cls := ins[:strings.LastIndex(ins, "-")]; !green("ins", ins) || !green("cluster", cls) {
			return false, fmt.Sprintf("%s or its cluster is not up in\n%s", ins, dom)
		}
	}
	for _, last := range []string{"10", "11", "12", "13"} {
		if !green("ip", i.net+last) {
			return false, fmt.Sprintf("node %s is not up in\n%s", last, dom)
		}
	}
	if found != "" && (attribute(dom, "href", "/"+found+"-2/", "href") == "" || !strings.Contains(dom, "registered since")) {
		return false, fmt.Sprintf("%s has no link in\n%s", found, dom)
	}
	return true, ""
}

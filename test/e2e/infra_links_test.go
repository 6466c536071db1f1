//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
)

var (
	linksOfPage = regexp.MustCompile(`(?:href|src|data-link)="([^"]*)"`)
	// loadedByPage is what a browser fetches without being asked to.
	loadedByPage = regexp.MustCompile(`<(?:script|img|link|iframe|source)[^>]* (?:src|href)="([^"]*)"|url\(['"]?([^)'"]*)|@import ['"]([^'"]*)|fetch\(['"]([^'"]*)`)
	idsOfPage    = regexp.MustCompile(` id="([^"]+)"`)
	scriptOfPage = regexp.MustCompile(`(?s)(<script[^>]*>).*?</script>`)
)

// links follows every link of the portal's pages, from the home page on, as far as they stay there: all
// of them lead somewhere, and no page has a browser ask another host for anything.
func (i *infrastructure) links() {
	const home = "http://pigsty/"
	ids := map[string]map[string]bool{} // of each page that was read
	anchors := map[string]string{}      // links to places of pages, and the pages that have them
	waiting, seen := []string{home}, map[string]bool{home: true}
	for len(waiting) > 0 {
		from := waiting[0]
		waiting = waiting[1:]
		text, base := i.page(from)
		if text == "" {
			continue
		}
		found := map[string]bool{}
		for _, m := range idsOfPage.FindAllStringSubmatch(text, -1) {
			found[m[1]] = true
		}
		ids[from], ids[base.String()] = found, found
		for _, m := range loadedByPage.FindAllStringSubmatch(text, -1) {
			if what := m[1] + m[2] + m[3] + m[4]; strings.Contains(what, "//") && !strings.HasPrefix(what, "data:") {
				i.t.Errorf("%s has browsers ask for %s", from, what)
			}
		}
		for _, m := range linksOfPage.FindAllStringSubmatch(scriptOfPage.ReplaceAllString(text, "$1"), -1) {
			to, err := base.Parse(strings.ReplaceAll(m[1], "&amp;", "&"))
			if err != nil {
				i.t.Errorf("%s: link %q: %v", from, m[1], err)
				continue
			}
			if to.Scheme == "data" || to.Host != "pigsty" && !strings.HasSuffix(to.Host, ".pigsty") {
				continue // a link out of the deployment: whoever follows it decides to
			}
			if to.Host == "g.pigsty" {
				continue // nobody serves it here: the page makes it a link where Prometheus finds it
			}
			fragment := to.Fragment
			to.Fragment = ""
			if fragment != "" {
				anchors[to.String()+"#"+fragment] = from
			}
			if !seen[to.String()] {
				seen[to.String()] = true
				waiting = append(waiting, to.String())
			}
		}
	}
	for anchor, from := range anchors {
		to, id, _ := strings.Cut(anchor, "#")
		if ids[to] != nil && !ids[to][id] {
			i.t.Errorf("%s links to %s, which has no such place", from, anchor)
		}
	}
	for _, want := range []string{
		"http://pigsty/docs/alerts/PostgresDown.html", "http://pigsty/docs/commands/pigsty_apply.html",
		"http://pigsty/docs/measured/drill.html", "http://pigsty/schema/pigsty.schema.json",
		"http://pigsty/logs", "http://pigsty/report", "http://pigsty/pigsty", "http://p.pigsty/",
	} {
		if !seen[want] {
			i.t.Errorf("no page links to %s", want)
		}
	}
	i.t.Logf("%d links", len(seen))
	i.logPage()
}

// page reads a page of the portal and gives what is to be looked through, and where it is, redirections
// followed: nothing of what is no page, and of what belongs to a service.
func (i *infrastructure) page(from string) (string, *url.URL) {
	i.t.Helper()
	response, err := i.client().Get(from)
	if err != nil {
		i.t.Error(err)
		return "", nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	at := response.Request.URL // after redirections
	switch {
	case err != nil:
		i.t.Error(err)
	case response.StatusCode == http.StatusUnauthorized && strings.Contains(response.Header.Get("WWW-Authenticate"), "Basic") && strings.HasPrefix(path.Base(at.Path), "pg-"):
		return "", nil // the admin page of a balancer, which asks for a password
	case response.StatusCode != http.StatusOK:
		i.t.Errorf("%s: %s", from, response.Status)
	case at.Host == "pigsty" && strings.HasPrefix(response.Header.Get("Content-Type"), "text/"):
		return string(text), at
	}
	return "", nil
}

// logPage is answered what the page of logs asks, by GET only.
func (i *infrastructure) logPage() {
	if page := i.get("http://pigsty/logs/"); !strings.Contains(page, "/logs/streams") || !strings.Contains(page, "/logs/lines") {
		i.t.Errorf("the page of logs asks for none: %s", page)
	}
	i.settles("the page of logs has lines to show", func() (bool, string) {
		text, err := i.try("http://pigsty/logs/lines?" + url.Values{"query": {`{job=~".+"}`}, "limit": {"5"}}.Encode())
		if err != nil {
			return false, err.Error()
		}
		return strings.Contains(text, `"values":[[`), text
	})
	if text := i.get("http://pigsty/logs/streams?" + url.Values{"match[]": {`{job="infra"}`}}.Encode()); !strings.Contains(text, `"src":"etcd"`) {
		i.t.Errorf("what can be picked: %s", text)
	}
	response, err := i.client().Post("http://pigsty/logs/lines", "application/json", strings.NewReader("{}"))
	if err != nil {
		i.t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		i.t.Errorf("the portal posts to Loki: %s", response.Status)
	}
	if response, err = i.client().Get("http://pigsty/.portal/schema.html"); err != nil {
		i.t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		i.t.Errorf("the top of a listing is served alone: %s", response.Status)
	}
	if page := i.get("http://pigsty/schema/"); !strings.Contains(page, "SchemaSpy") || !strings.Contains(page, ">pigsty.schema.json</a>") {
		i.t.Errorf("the list of schemas: %s", page)
	}
}

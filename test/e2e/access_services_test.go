//go:build e2e

package e2e

import (
	"encoding/csv"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// services lead where their checks and selectors say.
func (a *access) services() {
	for port, want := range map[string]string{"5433": "11", "5434": "12", "5435": "11", "5436": "11", "5438": "13", "5440": "11", "5441": "12"} {
		for _, host := range []string{"11", "13", "3"} {
			awaitHost(a.t, a.site, a.as("both", host, port, "app"), want)
		}
	}
	stats := a.stats("11")
	for server, want := range map[string]string{
		"pg-test-spread/pg-test-1": "100", "pg-test-spread/pg-test-2": "50", "pg-test-spread/pg-test-3": "100", "pg-test-replica/pg-test-2": "50",
	} {
		// A server that came up a moment ago is warmed up, which changes "weight" but not this one.
		if got := stats[server]["uweight"]; got != want {
			a.t.Errorf("%s has weight %q, want %s", server, got, want)
		}
	}
	if s := stats["pg-test-unchecked/FRONTEND"]; s["slim"] != "77" {
		a.t.Errorf("most connections of a service with maxconn 77: %q", s["slim"])
	}
	if s := stats["pg-test-unchecked/BACKEND"]; s["algo"] != "leastconn" {
		a.t.Errorf("the balance of a service with leastconn: %q", s["algo"])
	}
	if s := stats["pg-test-unchecked/pg-test-2"]; s["check_status"] != "" || s["status"] != "no check" {
		a.t.Errorf("a service with check_port none is checked: %q, %q", s["status"], s["check_status"])
	}
	if one, two := stats["pg-test-numeric/pg-test-1"], stats["pg-test-numeric/pg-test-2"]; one["check_code"] != "200" || two["check_code"] != "503" {
		a.t.Errorf("a service with a numeric check_port asks %q and %q", one["check_code"], two["check_code"])
	}
	// One that came up a moment ago gets few connections for half a minute.
	seen := map[string]bool{}
	a.await("a service of all members leads to each", func() bool {
		got, err := a.serverOf(a.as("both", "11", "5442", "app"))
		if err != nil {
			a.t.Fatal(err)
		}
		seen[got] = true
		return len(seen) == 3
	})
}

// changedServices follow edits of the inventory.
func (a *access) changedServices() {
	awaitHost(a.t, a.site, a.as("both", "12", "5450", "app"), "11")
	for _, port := range []string{"5433", "5434", "5436", "5438"} {
		a.enters(a.as("both", "11", port, "app"), "refused") // pg_services was replaced
	}
	a.await("HAProxy has the weight", func() bool { return a.stats("11")["pg-test-spread/pg-test-2"]["uweight"] == "0" })
	for range 9 {
		if got, err := a.serverOf(a.as("both", "11", "5442", "app")); got == "12" || err != nil {
			a.t.Errorf("a member of weight 0 serves: %q, %v", got, err)
		}
	}
	// Without a password the page shows, and does nothing.
	if code, _ := a.page("11", "", nil); code != http.StatusOK {
		a.t.Errorf("the page without a password: %d", code)
	}
	a.page("11", "", url.Values{"s": {"pg-test-2"}, "action": {"drain"}, "b": {a.proxy("11", "pg-test-spread")}})
	if got := a.stats("11")["pg-test-spread/pg-test-2"]["status"]; !strings.HasPrefix(got, "UP") {
		a.t.Errorf("a page without a password took a server out: %s", got)
	}
}

// adminPage asks for a password, shows the servers and takes one out of a service.
func (a *access) adminPage() {
	if code, _ := a.page("11", "", nil); code != http.StatusUnauthorized {
		a.t.Errorf("the page without a password: %d", code)
	}
	if code, _ := a.page("11", "wrong", nil); code != http.StatusUnauthorized {
		a.t.Errorf("the page with a wrong password: %d", code)
	}
	password := a.secrets()["haproxy_admin_password"]
	code, text := a.page("11", password, nil)
	if code != http.StatusOK || !strings.Contains(text, "pg-test-spread") {
		a.t.Errorf("the page with the password: %d", code)
	}
	do := func(action string) {
		code, text := a.page("11", password, url.Values{"s": {"pg-test-2"}, "action": {action}, "b": {a.proxy("11", "pg-test-spread")}})
		if code >= http.StatusBadRequest {
			a.t.Fatalf("%s: %d\n%s", action, code, text)
		}
	}
	do("drain")
	if got := a.stats("11")["pg-test-spread/pg-test-2"]["status"]; !strings.HasPrefix(got, "DRAIN") {
		a.t.Errorf("a drained server is %s", got)
	}
	for range 6 {
		if got, err := a.serverOf(a.as("both", "11", "5442", "app")); got == "12" || err != nil {
			a.t.Errorf("a drained server serves: %q, %v", got, err)
		}
	}
	a.planIsEmpty() // what is drained by hand stays so
	do("ready")
	a.await("the server is back", func() bool { return strings.HasPrefix(a.stats("11")["pg-test-spread/pg-test-2"]["status"], "UP") })
}

// page gets HAProxy's admin page of a node, or sends it a form, with a password unless it is empty.
func (a *access) page(host, password string, form url.Values) (code int, text string) {
	a.t.Helper()
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(a.t.Context(), method, "https://"+a.net+host+":9101/pg-test-1/", body)
	if err != nil {
		a.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if password != "" {
		request.SetBasicAuth("admin", password)
	}
	response, err := (&http.Transport{TLSClientConfig: a.trust(), DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, string(all)
}

// stats are HAProxy's own figures on a node, by proxy and server.
func (a *access) stats(host string) map[string]map[string]string {
	a.t.Helper()
	text := onNode(a.t, a.nodes, a.nodeAt(host), "sh", "-c", "echo 'show stat' | socat - /run/haproxy/admin.sock")
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "# ")))
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil {
		a.t.Fatal(err)
	}
	out := map[string]map[string]string{}
	for _, row := range rows[1:] {
		line := map[string]string{}
		for i, name := range rows[0] {
			if i < len(row) {
				line[name] = row[i]
			}
		}
		out[line["pxname"]+"/"+line["svname"]] = line
	}
	return out
}

// proxy is a service as the page's forms name it.
func (a *access) proxy(host, name string) string {
	return "#" + a.stats(host)[name+"/BACKEND"]["iid"]
}

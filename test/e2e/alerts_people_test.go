//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"pigsty/rules"
)

// alarms is a deployment whose alerts are looked at: in Prometheus, which finds them, in Alertmanager,
// which decides who is told, and where people are told.
type alarms struct {
	*infrastructure
	people *receiver
}

// in is the deployment for use in a subtest.
func (a *alarms) in(t *testing.T) *alarms {
	return &alarms{&infrastructure{a.infrastructure.in(t)}, a.people}
}

// alert is one as Prometheus, Alertmanager and whoever is told have it.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	State       string            `json:"state"`  // Prometheus': pending or firing
	Status      json.RawMessage   `json:"status"` // Alertmanager's: an object; of a notification a word
}

func (a alert) String() string {
	words := []string{a.Labels["alertname"]}
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		if !slices.Contains([]string{"alertname", "category", "instance", "job", "level", "severity"}, name) {
			words = append(words, name+"="+a.Labels[name])
		}
	}
	return strings.Join(words, " ")
}

// wanted is an alert that is to fire: its name, and labels by which it is told from others.
type wanted struct {
	name   string
	labels map[string]string
}

// want makes one of a name and of labels, each name=value.
func want(name string, labels ...string) wanted {
	w := wanted{name, map[string]string{}}
	for _, l := range labels {
		key, value, _ := strings.Cut(l, "=")
		w.labels[key] = value
	}
	return w
}

func (w wanted) is(a alert) bool {
	if a.Labels["alertname"] != w.name {
		return false
	}
	for name, value := range w.labels {
		if a.Labels[name] != value {
			return false
		}
	}
	return true
}

func (w wanted) String() string { return fmt.Sprint(w.name, " ", w.labels) }

// firing are the alerts that fire in Prometheus.
func (a *alarms) firing() []alert {
	a.t.Helper()
	var answer struct {
		Data struct{ Alerts []alert }
	}
	a.fetch("https://p.pigsty/api/v1/alerts", &answer)
	return slices.DeleteFunc(answer.Data.Alerts, func(x alert) bool { return x.State != "firing" })
}

// known are the alerts that Alertmanager has, those that it holds back apart.
func (a *alarms) known() (active, heldBack []alert) {
	a.t.Helper()
	var all []alert
	a.fetch("https://a.pigsty/api/v2/alerts", &all)
	for _, x := range all {
		var status struct {
			State       string   `json:"state"`
			InhibitedBy []string `json:"inhibitedBy"`
		}
		if err := json.Unmarshal(x.Status, &status); err != nil {
			a.t.Fatal(err)
		}
		if status.State == "suppressed" && len(status.InhibitedBy) > 0 {
			heldBack = append(heldBack, x)
		} else {
			active = append(active, x)
		}
	}
	return active, heldBack
}

func (a *alarms) fetch(from string, into any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.get(from)), into); err != nil {
		a.t.Fatal(err)
	}
}

// route makes Alertmanager tell the receiver, after having waited for other alerts of a group.
func (a *alarms) route(wait string) {
	a.t.Helper()
	text := "route: { receiver: people, group_by: [alertname, cls], group_wait: " + wait + ", group_interval: " + wait + ", repeat_interval: 1h }\n" +
		"receivers: [{ name: people, webhook_configs: [{ url: '" + a.people.url + "' }] }]\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(a.path), "alertmanager.yml"), []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// receiver is where Alertmanager sends what people are to be told.
type receiver struct {
	url  string
	mu   sync.Mutex
	told []alert
}

// newReceiver listens on an address of this machine that the nodes reach.
func newReceiver(t *testing.T, addr string) *receiver {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{url: "http://" + listener.Addr().String() + "/"}
	server := &http.Server{Handler: http.HandlerFunc(r.take), ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return r
}

func (r *receiver) take(w http.ResponseWriter, request *http.Request) {
	var message struct{ Alerts []alert }
	if err := json.NewDecoder(request.Body).Decode(&message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, message.Alerts...)
}

// heard is everything that was told so far.
func (r *receiver) heard() []alert {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.told)
}

// last is what was last told of an alert, and whether it was that it fires.
func (r *receiver) last(w wanted) (last alert, fires, told bool) {
	for _, x := range slices.Backward(r.heard()) {
		if w.is(x) {
			return x, string(x.Status) == `"firing"`, true
		}
	}
	return alert{}, false, false
}

// fires waits until alerts fire in Prometheus, are active in Alertmanager and have been told of, as the
// rules say them.
func (a *alarms) fires(all ...wanted) {
	a.t.Helper()
	a.settles("alerts fire", func() (bool, string) {
		var missing []string
		firing := a.firing()
		active, _ := a.known()
		for _, w := range all {
			if !slices.ContainsFunc(firing, w.is) {
				missing = append(missing, "Prometheus: "+w.String())
			} else if !slices.ContainsFunc(active, w.is) {
				missing = append(missing, "Alertmanager: "+w.String())
			} else if _, fires, _ := a.people.last(w); !fires {
				missing = append(missing, "told: "+w.String())
			}
		}
		return len(missing) == 0, strings.Join(missing, "; ")
	})
	written := alertRules(a.t)
	for _, w := range all {
		told, _, _ := a.people.last(w)
		for name, value := range written[w.name].Labels {
			if told.Labels[name] != value {
				a.t.Errorf("%s: %s is %q, not %q", told, name, told.Labels[name], value)
			}
		}
		if told.Labels["cls"] == "" || told.Annotations["summary"] == "" || told.Annotations["runbook"] != written[w.name].Annotations["runbook"] {
			a.t.Errorf("%s: labels %v, annotations %v", told, told.Labels, told.Annotations)
		}
		if page := a.get(told.Annotations["runbook_url"]); !strings.Contains(page, w.name) {
			a.t.Errorf("%s: the portal has no page of it at %s", w.name, told.Annotations["runbook_url"])
		}
		if _, err := os.Stat(filepath.Join("../..", told.Annotations["runbook"])); err != nil {
			a.t.Errorf("%s: its page: %v", told, err)
		}
	}
}

// ends waits until alerts fire no more, and whoever was told of them has been told of their end.
func (a *alarms) ends(all ...wanted) {
	a.t.Helper()
	a.settles("alerts end", func() (bool, string) {
		var left []string
		firing := a.firing()
		active, _ := a.known()
		for _, w := range all {
			if slices.ContainsFunc(firing, w.is) {
				left = append(left, "Prometheus: "+w.String())
			} else if slices.ContainsFunc(active, w.is) {
				left = append(left, "Alertmanager: "+w.String())
			} else if _, fires, told := a.people.last(w); fires || !told {
				left = append(left, "told: "+w.String())
			}
		}
		return len(left) == 0, strings.Join(left, "; ")
	})
}

// nothingElse holds that since a time no other alert has fired: neither those that were wanted nor, by their
// names, those that may come with them. One that waits for minutes where people use it fires here after
// seconds, of whatever passes by while nodes stop and start: it counts where it lasted as long as is written.
func (a *alarms) nothingElse(since time.Time, all []wanted, with ...string) {
	a.t.Helper()
	written := waits(a.t)
	window := fmt.Sprintf("[%.0fs:5s]", time.Since(since).Seconds())
	for _, s := range a.prometheus(`sum without (alertstate) (count_over_time(ALERTS` + window + `)) and
		group without (alertstate) (max_over_time(ALERTS{alertstate="firing"}` + window + `))`) {
		x := alert{Labels: s.Labels}
		if slices.ContainsFunc(all, func(w wanted) bool { return w.is(x) }) || slices.Contains(with, s.Labels["alertname"]) || ofMachine(s.Labels) {
			continue
		}
		looks, err := strconv.Atoi(s.Value[1].(string))
		if err != nil {
			a.t.Fatalf("how long %s lasted: %v", x, err)
		}
		lasted := time.Duration(looks) * 5 * time.Second
		if wait := written[s.Labels["alertname"]]; wait > time.Minute && lasted < wait {
			a.t.Logf("passing: %s lasted %s, and waits for %s where people use it", x, lasted, wait)
			continue
		}
		a.t.Errorf("this fired besides: %s, for %s", x, lasted)
	}
}

// waits is for how long the cause of each alert has to last, as is written.
func waits(t *testing.T) map[string]time.Duration {
	t.Helper()
	out := map[string]time.Duration{}
	for _, file := range readRules(t) {
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				if r.For == "" {
					continue
				}
				d, err := time.ParseDuration(r.For)
				if err != nil {
					t.Fatalf("%s waits for %v", r.Alert, err)
				}
				out[r.Alert] = d
			}
		}
	}
	return out
}

// ruleFile is a file of rules, as far as it matters here.
type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Record, Alert, For  string
			Labels, Annotations map[string]string
		}
	}
}

func readRules(t *testing.T) map[string]ruleFile {
	t.Helper()
	files := map[string]ruleFile{}
	for _, f := range rules.Files() {
		var file ruleFile
		if err := yaml.Unmarshal([]byte(f.Text), &file); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		files[f.Name] = file
	}
	return files
}

// recordingRules are the names of what is recorded, by file.
func recordingRules(t *testing.T) map[string][]string {
	t.Helper()
	names := map[string][]string{}
	for name, file := range readRules(t) {
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				if r.Record != "" {
					names[name] = append(names[name], r.Record)
				}
			}
		}
	}
	return names
}

// alertRules are the alerts, by name, as they are written.
func alertRules(t *testing.T) map[string]alert {
	t.Helper()
	written := map[string]alert{}
	for _, file := range readRules(t) {
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				if r.Alert != "" {
					written[r.Alert] = alert{Labels: r.Labels, Annotations: r.Annotations}
				}
			}
		}
	}
	return written
}

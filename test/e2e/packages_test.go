//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pigsty/internal/sandbox"
)

// The packages that the recipes make are installed by apt from the file alone, without a way out,
// and their services work with the configuration they bring.
func TestPackages(t *testing.T) {
	folder := buildPackages(t)
	nodes := startNodes(t, "t-packages", "10.10.85.0/24", 1)
	onNode(t, nodes, "meta", "ip", "route", "del", "default")
	steps := []struct {
		name string
		run  func(*packagesNode)
	}{
		{"install", (*packagesNode).install},
		{"serve", (*packagesNode).serve},
		{"follow", (*packagesNode).follow},
		{"reboot", (*packagesNode).reboot},
		{"reinstall", (*packagesNode).reinstall},
		{"purge", (*packagesNode).purge},
		{"pigsty", (*packagesNode).pigsty},
	}
	for _, step := range steps {
		if !t.Run(step.name, func(t *testing.T) { step.run(&packagesNode{t, nodes, folder}) }) {
			return // the next one builds on it
		}
	}
}

// buildPackages builds the .deb files, or takes them from the cache, and gives their folder.
func buildPackages(t *testing.T) string {
	t.Helper()
	folder, began := t.TempDir(), time.Now()
	cmd := exec.CommandContext(t.Context(), "go", "run", "./packages/build", "-format", "deb", "-out", folder, "loki", "promtail", "pigsty")
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("packages in %.1f s\n%s", time.Since(began).Seconds(), out)
	return folder
}

// packagesNode is a node that packages out of a folder are installed on.
type packagesNode struct {
	t      *testing.T
	nodes  *sandbox.Sandbox
	folder string
}

func (p *packagesNode) run(argv ...string) string {
	p.t.Helper()
	return onNode(p.t, p.nodes, "meta", argv...)
}

// says runs a script whose commands may fail.
func (p *packagesNode) says(script string) string {
	p.t.Helper()
	return p.run("sh", "-c", script+"; true")
}

func (p *packagesNode) expect(script, want string) {
	p.t.Helper()
	if got := p.says(script); got != want {
		p.t.Errorf("%s gives %q, want %q", script, got, want)
	}
}

func (p *packagesNode) await(script, want string) {
	p.t.Helper()
	var got string
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		if got = p.says(script); got == want {
			p.t.Logf("%s: %.1f s", script, time.Since(began).Seconds())
			return
		}
		if time.Since(began) > time.Minute {
			p.t.Fatalf("%s gives %q, want %q\n%s", script, got, want, p.says("journalctl --no-pager -n 30 -u loki -u promtail"))
		}
	}
}

// apt installs the package of a name from a file beside it.
func (p *packagesNode) apt(name string, options ...string) {
	p.t.Helper()
	found, err := filepath.Glob(filepath.Join(p.folder, name+"_*.deb"))
	if err != nil || len(found) != 1 {
		p.t.Fatalf("packages of %s: %q, %v", name, found, err)
	}
	f, err := os.Open(found[0])
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	to := "/root/" + filepath.Base(found[0])
	if _, err := p.nodes.Exec(p.t.Context(), "meta", f, "sh", "-c", "cat > "+to); err != nil {
		p.t.Fatal(err)
	}
	argv := append([]string{"env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q"}, options...)
	began := time.Now()
	out := p.run(append(argv, to)...)
	p.t.Logf("%s installed in %.1f s\n%s", name, time.Since(began).Seconds(), out)
}

// install brings users, units and configuration, and starts nothing.
func (p *packagesNode) install() {
	p.apt("grafana-loki")
	p.apt("promtail")
	p.expect("systemctl is-active loki promtail", "inactive\ninactive")
	p.expect("systemctl is-enabled loki promtail", "disabled\ndisabled")
	p.expect("getent passwd loki promtail | cut -d: -f1,6,7", "loki:/var/lib/loki:/usr/sbin/nologin\npromtail:/var/lib/promtail:/usr/sbin/nologin")
	p.expect("id -nG loki", "loki")
	p.expect("id -nG promtail | tr ' ' '\n' | sort | tr '\n' ' '", "adm promtail systemd-journal ")
	p.expect("dpkg --verify grafana-loki promtail", "")
	p.expect("dpkg-query -W -f '${Conffiles}' grafana-loki | awk '{print $1}'", "/etc/default/loki\n/etc/loki/config.yml")
	p.expect("loki -version 2>&1 | grep -o 'version 3[0-9.]*'; promtail -version 2>&1 | grep -o 'version 3[0-9.]*'", "version 3.7.8\nversion 3.0.0")
	p.expect("systemd-analyze verify loki.service promtail.service 2>&1", "")
}

// serve starts both as they come. Loki listens on this machine only.
func (p *packagesNode) serve() {
	p.run("systemctl", "enable", "--now", "loki", "promtail")
	p.await("curl -s 127.0.0.1:3100/ready", "ready")
	p.await("curl -s 127.0.0.1:9080/ready", "Ready")
	// Loki finds its own ring empty at first, and calls that an error.
	p.expect("journalctl -o cat -u loki | grep level=error | grep -vc 'empty ring'", "0")
	p.expect("ss -Hltn | awk '{print $4}' | grep -E ':(3100|9096|9080|9097)$' | sort", "127.0.0.1:3100\n127.0.0.1:9080\n127.0.0.1:9096\n127.0.0.1:9097")
	p.expect("stat -c '%U %a' /var/lib/loki /var/lib/promtail", "loki 750\npromtail 750")
	p.expect("ps -o user= -C loki,promtail | sort", "loki\npromtail")
	p.t.Log(p.says("systemd-analyze security --no-pager loki.service promtail.service | grep Overall; ps -o rss=,args= -C loki,promtail"))
}

// follow writes to the journal and finds the lines in Loki, each once, also when Promtail was
// away meanwhile.
func (p *packagesNode) follow() {
	p.run("systemd-run", "--quiet", "--wait", "--unit", "talker", "--description", "talks", "echo", "a line while promtail runs")
	p.found("a line while promtail runs")
	p.run("systemctl", "stop", "promtail")
	p.run("logger", "-p", "user.err", "a line while promtail is away")
	p.run("systemctl", "start", "promtail")
	p.found("a line while promtail is away")
	p.run("logger", "a line after promtail came back")
	p.found("a line after promtail came back")
	streams := p.query(`{job="journal"} |= "a line"`)
	lines := make(map[string]int)
	for _, s := range streams {
		for _, v := range s.Values {
			lines[v[1]]++
		}
	}
	if len(lines) != 3 || lines["a line while promtail runs"] != 1 || lines["a line while promtail is away"] != 1 {
		p.t.Errorf("Loki has %v", lines)
	}
	if got := p.query(`{job="journal", unit="talker.service", level="info"} |= "a line"`); len(got) != 1 {
		p.t.Errorf("the unit's line is not found by its labels: %v", got)
	}
	if got := p.query(`{job="journal", level="error"} |= "a line"`); len(got) != 1 {
		p.t.Errorf("the error is not found by its label: %v", got)
	}
}

// reboot: both come back by themselves, with their data, and what was said before is not lost.
func (p *packagesNode) reboot() {
	p.run("systemctl", "stop", "promtail")
	p.run("logger", "a line before the reboot")
	p.run("journalctl", "--sync")
	if err := p.nodes.Reboot(p.t.Context(), "meta"); err != nil {
		p.t.Fatal(err)
	}
	p.await("curl -s 127.0.0.1:3100/ready", "ready")
	p.found("a line before the reboot")
	p.found("a line while promtail is away")
}

// stream is a part of Loki's answer: lines with the same labels.
type stream struct {
	Stream map[string]string `json:"stream"`
	Values [][2]string       `json:"values"` // time and line
}

func (p *packagesNode) query(logql string) []stream {
	p.t.Helper()
	text := p.run("curl", "-sfG", "127.0.0.1:3100/loki/api/v1/query_range", "--data-urlencode", "query="+logql)
	var answer struct {
		Data struct {
			Result []stream `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		p.t.Fatalf("%v: %s", err, text)
	}
	return answer.Data.Result
}

// found waits until Loki has a line.
func (p *packagesNode) found(line string) {
	p.t.Helper()
	began := time.Now()
	for len(p.query(`{job="journal"} |= "`+line+`"`)) == 0 {
		if time.Since(began) > time.Minute {
			p.t.Fatalf("Loki does not get %q\n%s", line, p.says("journalctl --no-pager -n 30 -u promtail"))
		}
		time.Sleep(200 * time.Millisecond)
	}
	p.t.Logf("%q in Loki after %.1f s", line, time.Since(began).Seconds())
}

// reinstall stands for an upgrade: what people changed stays, and what ran runs the new program.
func (p *packagesNode) reinstall() {
	p.run("sh", "-c", "echo '# changed' >> /etc/loki/config.yml")
	before := p.run("systemctl", "show", "-P", "MainPID", "loki")
	p.run("systemctl", "stop", "promtail")
	p.apt("grafana-loki", "--reinstall")
	p.apt("promtail", "--reinstall")
	p.expect("tail -n 1 /etc/loki/config.yml", "# changed")
	p.expect("systemctl is-active loki promtail", "active\ninactive")
	if after := p.run("systemctl", "show", "-P", "MainPID", "loki"); after == before {
		p.t.Error("loki still runs the program that was replaced")
	}
	p.await("curl -s 127.0.0.1:3100/ready", "ready")
	p.found("a line while promtail runs")
}

// purge takes away all that the packages brought, and leaves data with their owner.
func (p *packagesNode) purge() {
	p.run("systemctl", "start", "promtail")
	out := p.run("apt-get", "purge", "-y", "-q", "grafana-loki", "promtail")
	for _, want := range []string{"the data in /var/lib/loki and the user loki stay", "the data in /var/lib/promtail and the user promtail stay"} {
		if !strings.Contains(out, want) {
			p.t.Errorf("purge does not say that %s:\n%s", want, out)
		}
	}
	p.expect("systemctl is-active loki promtail", "inactive\ninactive")
	p.expect("systemctl list-unit-files --no-legend 'loki*' 'promtail*'", "")
	p.expect("find / -xdev \\( -name '*loki*' -o -name '*promtail*' \\) -not -path '/var/lib/*' -not -path '/root/*' -not -path '/var/log/*' -not -path '/proc/*'", "")
	p.expect("dpkg -l grafana-loki promtail 2>/dev/null | grep -c ^ii", "0")
	p.expect("stat -c '%U' /var/lib/loki /var/lib/promtail; test -s /var/lib/promtail/positions.yaml && ls -d /var/lib/loki/chunks", "loki\npromtail\n/var/lib/loki/chunks")
}

// pigsty's own package has the command, under both names, and what a shell and man know of it.
func (p *packagesNode) pigsty() {
	p.apt("pigsty")
	p.expect("dpkg --verify pigsty", "")
	p.expect("readlink -f /usr/bin/pg_exporter", "/usr/bin/pigsty")
	p.expect("pigsty --version | grep -c '^pigsty version '", "1")
	p.expect("zcat /usr/share/man/man1/pigsty-apply.1.gz | grep -c '^.TH .*PIGSTY-APPLY'", "1")
	p.expect(`bash -c '. /usr/share/bash-completion/completions/pigsty && complete -p pigsty' | grep -o 'pigsty$'`, "pigsty")
	p.expect("systemctl list-unit-files --no-legend 'pigsty*' 'pg_exporter*'", "")
	p.expect("test -f /usr/share/doc/pigsty/docs/parameters.md && zcat /usr/share/doc/pigsty/NOTICES.gz | grep -c 'github.com/spf13/cobra v' | grep -vx 0 >/dev/null && echo documented", "documented")
}

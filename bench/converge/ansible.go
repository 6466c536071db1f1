package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/controller"
)

// ansible is a playbook for a lab's nodes.
type ansible struct {
	lab           *lab
	dir           string
	tasks, copied int            // how many tasks, and of how many steps
	leftOut       map[string]int // steps by kind that the playbook does not have
}

// ensure has Ansible ensure what pigsty compiled for these nodes.
func (r *results) ensure(ctx context.Context, l *lab) error {
	if r.options.ansible == 0 {
		return nil
	}
	if err := installAnsible(ctx); err != nil {
		return err
	}
	version, err := exec.CommandContext(ctx, "ansible", "--version").Output()
	if err != nil {
		return err
	}
	r.ansibleVersion, _, _ = strings.Cut(string(version), "\n")
	a, err := writePlaybook(ctx, l)
	if err != nil {
		return err
	}
	r.playbook = a
	say("%s: %d tasks", r.ansibleVersion, a.tasks)
	for range r.options.ansible {
		full, err := a.run(ctx, r)
		if err != nil {
			return err
		}
		check, err := a.run(ctx, r, "--check")
		if err != nil {
			return err
		}
		r.ansibleFull, r.ansibleCheck = append(r.ansibleFull, full), append(r.ansibleCheck, check)
		say("ansible: %.1f s, with --check %.1f s", full.wall.Seconds(), check.wall.Seconds())
	}
	return nil
}

func installAnsible(ctx context.Context) error {
	if _, err := exec.LookPath("ansible-playbook"); err == nil {
		return nil
	}
	say("installing Debian's ansible on this host")
	cmd := exec.CommandContext(ctx, "apt-get", "install", "-y", "-q", "--no-install-recommends", "ansible")
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("install ansible: %w\n%s", err, out)
	}
	return nil
}

// writePlaybook compiles the site as pigsty does, with the nodes' facts, and writes one list of
// tasks a node. Nodes go through theirs at their own pace, as pigsty's do.
func writePlaybook(ctx context.Context, l *lab) (*ansible, error) {
	site, err := controller.Open(l.inventory, nil)
	if err != nil {
		return nil, err
	}
	dial, err := controller.SSH()
	if err != nil {
		return nil, err
	}
	work, err := site.Prepare(ctx, controller.Request{}, dial)
	if err != nil {
		return nil, err
	}
	defer work.Close()
	a := &ansible{lab: l, dir: filepath.Join(l.dir, "ansible"), leftOut: map[string]int{}}
	if err := os.Mkdir(a.dir, 0o700); err != nil {
		return nil, err
	}
	hosts := map[string]any{}
	for _, node := range work.Graph.Nodes() {
		hosts[node] = nil
		p := &playbook{dir: filepath.Join(a.dir, node), leftOut: a.leftOut}
		if err := os.Mkdir(p.dir, 0o700); err != nil {
			return nil, err
		}
		for _, s := range work.Graph.Steps(node) {
			before := len(p.tasks)
			if err := p.add(s.Resource); err != nil {
				return nil, err
			}
			if len(p.tasks) > before {
				a.copied++
			}
		}
		a.tasks += len(p.tasks)
		if err := a.write(node+".yml", p.tasks); err != nil {
			return nil, err
		}
	}
	if err := a.write("hosts.yml", map[string]any{"all": map[string]any{"hosts": hosts, "vars": map[string]any{
		"ansible_user": "debian", "ansible_ssh_private_key_file": l.box.KeyPath(),
		"ansible_ssh_common_args": "-o UserKnownHostsFile=" + l.box.KnownHostsPath(), "ansible_python_interpreter": "/usr/bin/python3",
	}}}); err != nil {
		return nil, err
	}
	return a, a.write("site.yml", []any{map[string]any{
		"hosts": "all", "become": true, "gather_facts": false, "strategy": "free",
		"tasks": []task{{"ansible.builtin.include_tasks": "{{ inventory_hostname }}.yml"}},
	}})
}

func (a *ansible) write(name string, content any) error {
	text, err := yaml.Marshal(content)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(a.dir, name), text, 0o600)
}

// recap matches a host's line at the end of a run.
var recap = regexp.MustCompile(`(?m)^\S+\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)`)

// changesIn lists the tasks that changed something.
func changesIn(out string) string {
	var task string
	var changed []string
	for line := range strings.Lines(out) {
		if name, is := strings.CutPrefix(line, "TASK ["); is {
			task, _, _ = strings.Cut(name, "]")
		}
		if strings.HasPrefix(line, "changed: ") {
			changed = append(changed, task)
		}
	}
	return strings.Join(changed, ", ")
}

// run runs the playbook, which has nothing to change; what it changes nevertheless is told.
func (a *ansible) run(ctx context.Context, r *results, args ...string) (cost, error) {
	env := []string{
		"ANSIBLE_PIPELINING=1", "ANSIBLE_FORKS=4", "ANSIBLE_NOCOLOR=1", "ANSIBLE_LOCALHOST_WARNING=0", "LC_ALL=C.UTF-8",
		"ANSIBLE_SSH_ARGS=-C -o ControlMaster=auto -o ControlPersist=60s", "ANSIBLE_SSH_CONTROL_PATH_DIR=" + filepath.Join(a.dir, "cp"),
	}
	argv := append([]string{"ansible-playbook", "-i", filepath.Join(a.dir, "hosts.yml"), filepath.Join(a.dir, "site.yml")}, args...)
	c, said, err := a.lab.measure(ctx, env, argv...)
	if err != nil {
		return c, err
	}
	lines := recap.FindAllStringSubmatch(said.out, -1)
	if said.code != 0 || len(lines) != len(a.lab.box.Nodes()) {
		return c, fmt.Errorf("ansible-playbook: exit code %d\n%s%s", said.code, tailOf(said.out), tailOf(said.err))
	}
	changed := 0
	for _, l := range lines {
		n, err := strconv.Atoi(l[2])
		if err != nil {
			return c, err
		}
		changed += n
	}
	r.ansibleChanged = max(r.ansibleChanged, changed)
	if changed > 0 {
		say("ansible changed %s", changesIn(said.out))
	}
	return c, nil
}

func tailOf(text string) string { return text[max(0, len(text)-4000):] }

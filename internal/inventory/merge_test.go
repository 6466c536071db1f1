package inventory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// plan is a generated inventory: who sets which of a few variables.
type plan struct {
	all, extra, generated map[string]string
	groups                []planGroup
}

type planGroup struct {
	name     string
	priority int
	vars     map[string]string
	hosts    map[string]map[string]string
}

var (
	planVars  = []string{"a", "b", "c", "d"}
	planHosts = []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}
)

func drawPlan(t *rapid.T) plan {
	vars := rapid.MapOfN(rapid.SampledFrom(planVars), rapid.StringMatching(`[a-z]{3}`), 0, 4)
	p := plan{all: vars.Draw(t, "all"), extra: vars.Draw(t, "extra"), generated: vars.Draw(t, "generated")}
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,3}-g`), 1, 5, rapid.ID).Draw(t, "groups")
	for _, name := range names {
		g := planGroup{name: name, priority: rapid.IntRange(0, 3).Draw(t, "priority"), vars: vars.Draw(t, "vars"), hosts: map[string]map[string]string{}}
		for _, h := range rapid.SliceOfDistinct(rapid.SampledFrom(planHosts), rapid.ID).Draw(t, "hosts") {
			g.hosts[h] = vars.Draw(t, "hostvars")
		}
		p.groups = append(p.groups, g)
	}
	return p
}

func flow(vars map[string]string) string {
	var parts []string
	for _, name := range planVars {
		if v, ok := vars[name]; ok {
			parts = append(parts, fmt.Sprintf("%s: %q", name, v))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// yaml writes the plan with its groups in the order given.
func (p plan) yaml(order []int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "all:\n  vars: %s\n  children:\n", flow(p.all))
	for _, i := range order {
		g := p.groups[i]
		vars := strings.Replace(flow(g.vars), "{", fmt.Sprintf("{ansible_group_priority: %d, ", g.priority), 1)
		fmt.Fprintf(&b, "    %s:\n      vars: %s\n      hosts:\n", g.name, vars)
		for _, h := range planHosts {
			if v, ok := g.hosts[h]; ok {
				fmt.Fprintf(&b, "        %s: %s\n", h, flow(v))
			}
		}
	}
	return b.String()
}

func (p plan) options() Options {
	o := Options{Generated: p.generated}
	for _, name := range planVars {
		if v, ok := p.extra[name]; ok {
			o.Extra = append(o.Extra, name+"="+fmt.Sprintf("%q", v))
		}
	}
	return o
}

// expect says by the rules, one after the other, what a variable of a host is.
func (p plan) expect(host, name string) (string, bool) {
	groups := slices.Clone(p.groups)
	slices.SortFunc(groups, func(a, b planGroup) int {
		if a.priority != b.priority {
			return a.priority - b.priority
		}
		return strings.Compare(a.name, b.name)
	})
	layers := []map[string]string{p.generated, p.all}
	for _, g := range groups {
		if _, member := g.hosts[host]; member {
			layers = append(layers, g.vars)
		}
	}
	for _, g := range groups {
		layers = append(layers, g.hosts[host])
	}
	layers = append(layers, p.extra)
	value, found := "", false
	for _, l := range layers {
		if v, ok := l[name]; ok {
			value, found = v, true
		}
	}
	return value, found
}

func TestPrecedence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		order := rapid.Permutation(indexes(len(p.groups))).Draw(t, "order")
		inv, problems := Parse("x.yml", []byte(p.yaml(order)), p.options())
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		for _, h := range inv.Hosts() {
			vars := inv.Vars(h)
			for _, name := range planVars {
				want, found := p.expect(h, name)
				got, ok := vars[name]
				if ok != found || ok && got.Node.Value != want {
					t.Fatalf("%s of %s: %v %v, want %v %q", name, h, ok, got.Plain(), found, want)
				}
			}
			if diff := cmp.Diff(plainVars(vars), plainVars(inv.Vars(h))); diff != "" {
				t.Fatalf("a second merge differs: %s", diff)
			}
		}
	})
}

func TestOrderOfGroupsInTheFileDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		one, _ := Parse("x.yml", []byte(p.yaml(indexes(len(p.groups)))), p.options())
		two, _ := Parse("x.yml", []byte(p.yaml(rapid.Permutation(indexes(len(p.groups))).Draw(t, "order"))), p.options())
		for _, h := range one.Hosts() {
			if diff := cmp.Diff(plainVars(one.Vars(h)), plainVars(two.Vars(h))); diff != "" {
				t.Fatal(diff)
			}
			if diff := cmp.Diff(one.GroupsOf(h), two.GroupsOf(h)); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestLimitIsASubsetInFileOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		inv, _ := Parse("x.yml", []byte(p.yaml(indexes(len(p.groups)))), p.options())
		terms := rapid.SliceOfN(rapid.SampledFrom([]string{"all", "10.0.0.*", "&*", "!10.0.0.1", p.groups[0].name, "!" + p.groups[0].name}), 0, 4).Draw(t, "terms")
		got, err := inv.Limit(strings.Join(terms, ","))
		if err != nil {
			return
		}
		at := -1
		for _, h := range got {
			i := slices.Index(inv.Hosts(), h)
			if i <= at {
				t.Fatalf("%v is not in file order", got)
			}
			at = i
		}
	})
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

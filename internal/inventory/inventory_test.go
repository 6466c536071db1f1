package inventory

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/diag"
)

const example = `all:
  hosts:
    10.0.0.9: {a: host}
  children:
    meta:
      hosts: {10.0.0.1: {}}
      vars: {ansible_group_priority: 99, a: meta, d: meta}
    zoo:
      hosts:
        10.0.0.3: {e: [1, yes]}
        10.0.0.1: {b: zoo-host}
      vars: {a: zoo, c: {x: 1}}
    ant:
      hosts:
        10.0.0.1: {b: ant-host, n: null}
        10.0.0.2:
      vars: {a: ant, c: {y: 2}}
  vars:
    a: all
    b: all
    secret: all
`

func parse1(t *testing.T, text string, o Options) *Inventory {
	t.Helper()
	inv, problems := Parse("x.yml", []byte(text), o)
	for _, d := range problems {
		t.Error(d)
	}
	return inv
}

// plainVars shows variables as name to JSON.
func plainVars(v Vars) map[string]string {
	out := map[string]string{}
	for name, value := range v {
		data, err := json.Marshal(value.Plain())
		if err != nil {
			data = []byte(err.Error())
		}
		out[name] = string(data) + " " + value.From
	}
	return out
}

func TestMerge(t *testing.T) {
	inv := parse1(t, example, Options{
		Extra:     []string{"x=[1, 2]", "x=on", "d= command"},
		Generated: map[string]string{"secret": "made", "other": "made"},
	})
	want := map[string]string{
		"a": `"meta" group meta`, "b": `"zoo-host" host 10.0.0.1`, "c": `{"x":1} group zoo`, "d": `"command" -e`,
		"n": `null host 10.0.0.1`, "x": `true -e`, "secret": `"all" all`, "other": `"made" generated`,
		"ansible_group_priority": `99 group meta`,
	}
	if diff := cmp.Diff(want, plainVars(inv.Vars("10.0.0.1"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"10.0.0.9", "10.0.0.1", "10.0.0.3", "10.0.0.2"}, inv.Hosts()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ant", "zoo", "meta"}, inv.GroupsOf("10.0.0.1")); diff != "" {
		t.Error(diff)
	}
	if got := plainVars(inv.Vars("10.0.0.9"))["a"]; got != `"host" host 10.0.0.9` {
		t.Error(got)
	}
	if got := plainVars(inv.GroupVars("ant")); got["a"] != `"ant" group ant` || got["d"] != `"command" -e` || got["b"] != `"all" all` {
		t.Error(got)
	}
	if got := plainVars(inv.Global()); got["a"] != `"all" all` || len(got) != 6 {
		t.Error(got)
	}
	if got := plainVars(inv.Vars("10.0.0.3"))["e"]; got != "[1,true] host 10.0.0.3" {
		t.Error(got)
	}
}

func TestPositions(t *testing.T) {
	inv := parse1(t, example, Options{})
	v := inv.Vars("10.0.0.1")["b"]
	if got := v.Pos.String(); got != "x.yml:11:20" {
		t.Errorf("name at %s", got)
	}
	if got := v.NodePos(v.Node).String(); got != "x.yml:11:23" {
		t.Errorf("value at %s", got)
	}
	if got := inv.HostPos("10.0.0.2").String(); got != "x.yml:16:9" {
		t.Errorf("host at %s", got)
	}
	if got := inv.Group("ant").Pos.String(); got != "x.yml:13:5" {
		t.Errorf("group at %s", got)
	}
	l := diag.List{{Pos: v.Pos}, {Pos: diag.Pos{File: "y.yml", Line: 1}}}
	inv.Explain(l)
	if l[0].Source != "        10.0.0.1: {b: zoo-host}" || l[0].Caret != 20 || l[1].Source != "" {
		t.Errorf("%+v", l)
	}
}

func TestNestedGroups(t *testing.T) {
	inv := parse1(t, `all:
  children:
    zone:
      vars: {a: zone, ansible_group_priority: 50}
      children:
        inner: {hosts: {10.0.0.1: {}}, vars: {b: inner}}
        other: {hosts: {10.0.0.2: {}}, vars: {a: other}}
    inner: {vars: {c: inner}}
`, Options{})
	if diff := cmp.Diff([]string{"10.0.0.1", "10.0.0.2"}, inv.Group("zone").Hosts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"zone", "other"}, inv.GroupsOf("10.0.0.2")); diff != "" {
		t.Error(diff)
	}
	got := plainVars(inv.Vars("10.0.0.2"))
	if got["a"] != `"other" group other` {
		t.Errorf("a child gives way to its parent: %v", got)
	}
	got = plainVars(inv.GroupVars("inner"))
	if got["a"] != `"zone" group zone` || got["b"] == "" || got["c"] == "" {
		t.Error(got)
	}
}

func TestPlain(t *testing.T) {
	inv := parse1(t, `all:
  vars:
    v: [yes, No, ON, off, "yes", tRue, ~, 12, "12", 1.5, .inf, 2030-01-02, 0x10, text, {1: a, yes: b}, 99999999999999999999]
`, Options{})
	data, err := json.Marshal(inv.Global()["v"].Plain())
	if err != nil {
		t.Fatal(err)
	}
	want := `[true,false,true,false,"yes","tRue",null,12,"12",1.5,"+Inf","2030-01-02",16,"text",{"1":"a","yes":"b"},100000000000000000000]`
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Error(diff)
	}
}

func TestMergeKeysAndAliases(t *testing.T) {
	inv := parse1(t, `base: {vars: &a {x: 1, y: 1, z: 1}}
more: {vars: &b {x: 2, w: 2}}
all:
  vars:
    <<: [*a, *b]
    y: 9
    list: &l [1, 2]
    again: *l
`, Options{})
	got := plainVars(inv.Global())
	want := map[string]string{"x": "1 all", "y": "9 all", "z": "1 all", "w": "2 all", "list": "[1,2] all", "again": "[1,2] all"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAliasesThatExplode(t *testing.T) {
	var b strings.Builder
	b.WriteString("all:\n  vars:\n    a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		prev := string(rune('a'+i-1)) + "0"
		b.WriteString("    " + string(rune('a'+i)) + "0: &" + string(rune('a'+i)) + "0 [" + strings.Repeat("*"+prev+", ", 9) + "*" + prev + "]\n")
	}
	_, problems := Parse("x.yml", []byte(b.String()), Options{})
	if !problems.HasErrors() || !strings.Contains(problems[0].Summary, "expand") {
		t.Errorf("%v", problems)
	}
}

func TestLoadReportsAnUnreadableFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.yml")
	inv, problems := Load(path, Options{})
	if len(problems) != 1 || inv == nil || inv.File() != path || !strings.Contains(problems[0].Summary, "no such file") {
		t.Errorf("%v", problems)
	}
	if err := os.WriteFile(path, []byte(example), 0o644); err != nil {
		t.Fatal(err)
	}
	if inv, problems := Load(path, Options{}); len(problems) > 0 || len(inv.Groups()) != 3 {
		t.Errorf("%v", problems)
	}
}

func TestExtraThatIsWrong(t *testing.T) {
	_, problems := Parse("x.yml", []byte(example), Options{Extra: []string{"noequals", "a=[", "1x=2", "b="}})
	if len(problems) != 3 {
		t.Errorf("%v", problems)
	}
}

func TestLimit(t *testing.T) {
	inv := parse1(t, example, Options{})
	for pattern, want := range map[string]string{
		"":                    "10.0.0.9 10.0.0.1 10.0.0.3 10.0.0.2",
		"all":                 "10.0.0.9 10.0.0.1 10.0.0.3 10.0.0.2",
		"*":                   "10.0.0.9 10.0.0.1 10.0.0.3 10.0.0.2",
		"ant":                 "10.0.0.1 10.0.0.2",
		"10.0.0.2,10.0.0.1":   "10.0.0.1 10.0.0.2",
		"ant:zoo":             "10.0.0.1 10.0.0.3 10.0.0.2",
		"ant:&zoo":            "10.0.0.1",
		"ant:!meta":           "10.0.0.2",
		"!meta,!zoo":          "10.0.0.9 10.0.0.2",
		"&zoo":                "10.0.0.1 10.0.0.3",
		"!meta:ant:&10.0.0.*": "10.0.0.2",
		"10.0.0.[13]":         "10.0.0.1 10.0.0.3",
		"~10\\.0\\.0\\.[29]$": "10.0.0.9 10.0.0.2",
		"a*, 10.0.0.9":        "10.0.0.9 10.0.0.1 10.0.0.2",
	} {
		got, err := inv.Limit(pattern)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("Limit(%q) = %v, %v; want %s", pattern, got, err, want)
		}
	}
	for pattern, want := range map[string]string{
		"antt": "did you mean ant?", "10.0.0.77x.y.z": "matches no host or group of x.yml",
		"~(": "limit", "[": "limit", "!nothing": "matches no host",
	} {
		if got, err := inv.Limit(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Limit(%q) = %v, %v; want an error with %q", pattern, got, err, want)
		}
	}
	six := parse1(t, "all: {hosts: {'fd00::1': {}, 'fd00::2': {}}}", Options{})
	if got, err := six.Limit("fd00::1"); err != nil || len(got) != 1 {
		t.Errorf("%v %v", got, err)
	}
	if got, err := six.Limit("!fd00::1"); err != nil || len(got) != 1 || got[0] != "fd00::2" {
		t.Errorf("%v %v", got, err)
	}
}

func TestScopesCoverEverything(t *testing.T) {
	inv := parse1(t, example, Options{Extra: []string{"x=1"}, Generated: map[string]string{"s": "1"}})
	count := map[Level]int{}
	for _, s := range inv.Scopes() {
		count[s.Level] += len(s.Vars)
		for name, v := range s.Vars {
			if v.Level != s.Level {
				t.Errorf("%s is at %v in a scope of %v", name, v.Level, s.Level)
			}
		}
	}
	want := map[Level]int{LevelAll: 3, LevelGroup: 7, LevelHost: 5, LevelExtra: 1, LevelGenerated: 1}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Error(diff)
	}
}

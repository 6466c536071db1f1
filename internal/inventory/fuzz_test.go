package inventory

import (
	"encoding/json"
	"testing"

	"pigsty/internal/diag"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		example, "", "all:", "all: {vars: *x}", "a: &a [*a]", "all: {vars: {<<: {a: 1}, a: 2}}", "\xff\xfe\x01",
		"all: {children: {a: {children: {a: }}}}", "? [a]\n: b", "all:\n\tx: 1", "a: 'x\nb: \"", "--- a\n--- b",
		"all: {hosts: {10.0.0.1: [1]}}", "all: !!binary x", "x: {hosts: {? : 1}}", "%YAML 9.9\n---\na: 1",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, problems := Parse("x.yml", data, Options{Extra: []string{"x=" + string(data)}})
		for _, d := range problems {
			if d.Pos.Line < 0 || d.Pos.Column < 0 {
				t.Errorf("%+v", d)
			}
		}
		if err := problems.Write(discard{}); err != nil {
			t.Error(err)
		}
		for _, h := range inv.Hosts() {
			if inv.HostPos(h) == (diag.Pos{}) {
				t.Errorf("host %q has no position", h)
			}
			for name, v := range inv.Vars(h) {
				if _, err := json.Marshal(v.Plain()); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			inv.GroupsOf(h)
		}
		if _, err := inv.Limit(string(data)); err != nil {
			return
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

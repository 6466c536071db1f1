package diag

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func sample() List {
	var l List
	l.Warnf(Pos{File: "b.yml", Line: 1, Column: 1}, "last")
	d := l.Errorf(Pos{File: "a.yml", Line: 12, Column: 7}, "want %d", 5)
	d.Hint, d.Source, d.Caret = "write 5", "\tport: x", 8
	l.Errorf(Pos{File: "a.yml", Line: 2, Column: 9}, "early")
	l.Errorf(Pos{File: "a.yml", Line: 2, Column: 9}, "early")
	l.Errorf(Pos{}, "nowhere")
	return l
}

func TestListSortsAndWrites(t *testing.T) {
	l := sample()
	l.Sort()
	var b bytes.Buffer
	if err := l.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := "error: nowhere\na.yml:2:9: error: early\na.yml:12:7: error: want 5; write 5\n" +
		"    \tport: x\n    \t      ^\nb.yml:1:1: warning: last\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestErr(t *testing.T) {
	l := sample()
	if !l.HasErrors() || l.Warnings().HasErrors() || l.Warnings().Err() != nil {
		t.Error("errors and warnings are mixed up")
	}
	err := fmt.Errorf("load: %w", l.Err())
	if got := From(err); len(got) != 4 {
		t.Errorf("From gives %v", got)
	}
	if From(errors.New("other")) != nil {
		t.Error("From finds a list in another error")
	}
	if !strings.Contains(err.Error(), "a.yml:12:7: error: want 5; write 5") {
		t.Error(err)
	}
}

func TestJSONGoesBothWays(t *testing.T) {
	l := sample()
	data, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	var back List
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(l, back); diff != "" {
		t.Error(diff)
	}
	if !bytes.Contains(data, []byte(`"severity":"warning"`)) {
		t.Errorf("%s", data)
	}
	if json.Unmarshal([]byte(`[{"severity":"bad"}]`), &back) == nil {
		t.Error("an unknown severity is read")
	}
}

func TestLongAndStrangeLines(t *testing.T) {
	line, caret := excerpt(strings.Repeat("x", 1000), 500)
	if len(line) > maxSource || line[len(caret)-1] != 'x' || len(caret) != maxSource/2 {
		t.Errorf("%d %d", len(line), len(caret))
	}
	line, caret = excerpt("ä\x1b[31m: ö", 3)
	if strings.Contains(line, "\x1b") || caret != "  ^" {
		t.Errorf("%q %q", line, caret)
	}
	if _, caret := excerpt("abc", 77); caret != "" {
		t.Errorf("caret %q past the end", caret)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"pg_version", "pg_port", "pg_users", "vip_mode"}
	for word, want := range map[string]string{
		"pg_verson": "pg_version", "pg_prot": "pg_port", "pg_vresion": "pg_version", "vipmode": "vip_mode",
		"pg_port": "pg_port", "zebra": "", "": "", "p": "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// slowDistance is the textbook recursion, to hold the table against.
func slowDistance(a, b string) int {
	if a == "" || b == "" {
		return len(a) + len(b)
	}
	cost := 1
	if a[0] == b[0] {
		cost = 0
	}
	d := min(slowDistance(a[1:], b)+1, slowDistance(a, b[1:])+1, slowDistance(a[1:], b[1:])+cost)
	if len(a) > 1 && len(b) > 1 && a[0] == b[1] && a[1] == b[0] {
		d = min(d, slowDistance(a[2:], b[2:])+1)
	}
	return d
}

func TestDistance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[ab_]{0,6}`)
		a, b, limit := word.Draw(t, "a"), word.Draw(t, "b"), rapid.IntRange(0, 7).Draw(t, "limit")
		want := slowDistance(a, b)
		got := distance(a, b, limit)
		if want <= limit && got != want || want > limit && got <= limit {
			t.Fatalf("distance(%q, %q, %d) = %d, want %d", a, b, limit, got, want)
		}
	})
}

func TestMask(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"pg_port: 5432", "pg_port: 5432"},
		{"pg_admin_password: hunter2  # was hunter1", "pg_admin_password: ******"},
		{`  "password": "hunter2, hunter3" # x`, `  "password": ****** # x`},
		{`- {name: a, password: 'it''s hunter', pgbouncer: true}`, `- {name: a, password: ******, pgbouncer: true}`},
		{"- {name: a, password: hunter2}", "- {name: a, password: ******}"},
		{"pg_admin_password=hunter2", "pg_admin_password=******"},
		{"grafana_pgurl: postgres://u:hunter2@h:5432/d", "grafana_pgurl: postgres://u:******@h:5432/d"},
		{"- md5d3d10d8cad606308bdb180148bf663e1", "- ******"},
		{"verifier: 'SCRAM-SHA-256$4096:abc$d:e'", "verifier: '******'"},
		{"bypassrls: true", "bypassrls: true"},
		{"pasword: hunter2", "pasword: ******"},
		{"redis_password: ", "redis_password: "},
	} {
		got, _ := Mask([]string{c.line}, 1, 1)
		if got != c.want {
			t.Errorf("Mask(%q) = %q, want %q", c.line, got, c.want)
		}
	}
}

func TestMaskMovesTheColumn(t *testing.T) {
	line := "- {password: hunter2hunter2, nam: a}"
	column := strings.Index(line, "nam") + 1
	got, moved := Mask([]string{line}, 1, column)
	if got[moved-1:moved+2] != "nam" {
		t.Errorf("%q %d", got, moved)
	}
}

func TestMaskHidesContinuedSecrets(t *testing.T) {
	lines := strings.Split("vars:\n  pg_admin_password: |\n    hunter2\n\n    hunter3\n  pg_port: 1\n  monitor_password:\n  - hunter4", "\n")
	for i := range lines {
		if got, _ := Mask(lines, i+1, 1); strings.Contains(got, "hunter") {
			t.Errorf("line %d: %q", i+1, got)
		}
	}
	if got, _ := Mask(lines, 6, 1); got != "  pg_port: 1" {
		t.Errorf("%q", got)
	}
}

func FuzzMask(f *testing.F) {
	f.Add("password: 'x", 3)
	f.Add("a: {pass: \"\\", 9)
	f.Fuzz(func(t *testing.T, text string, column int) {
		lines := strings.Split(text, "\n")
		for i := range lines {
			source, caret := Mask(lines, i+1, column)
			excerpt(source, caret)
		}
	})
}

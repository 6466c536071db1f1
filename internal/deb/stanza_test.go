package deb_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pigsty/internal/deb"
)

func TestParse(t *testing.T) {
	text := "# what is here\nPackage: a\nVersion:1\nDescription: first\n second\n .\n\tthird\nTag:\n x\n\n\n\nPackage: b\r\nEmpty:\n"
	got, err := deb.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	want := []deb.Stanza{
		{{"Package", "a"}, {"Version", "1"}, {"Description", "first\n second\n .\n\tthird"}, {"Tag", "\n x"}},
		{{"Package", "b"}, {"Empty", ""}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if v := got[0].Get("vErSiOn"); v != "1" {
		t.Errorf("Version is %q", v)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"Package: a\nnonsense\n":      "line 2 is no field",
		" more\n":                     "line 1 continues a field",
		"A: 1\nB: 2\na: 3\n":          "line 3 has field a a second time",
		"Package: a\n\n: x\n":         "line 3 is no field",
		"Package: a\nTwo words: here": "line 2 is no field",
	} {
		if _, err := deb.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// stanza draws stanzas as control files have them.
var stanza = rapid.Custom(func(t *rapid.T) deb.Stanza {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Z][a-z]{1,5}(-[A-Z][a-z]{1,4})?`), 1, 6,
		func(name string) string { return strings.ToLower(name) }).Draw(t, "names")
	var s deb.Stanza
	for _, name := range names {
		value := rapid.StringMatching(`([!-~]([ -~]{0,8}[!-~])?)?(\n [!-~]([ -~]{0,8}[!-~])?){0,2}`).Draw(t, "value")
		s = append(s, deb.Field{Name: name, Value: value})
	}
	return s
})

func TestStanzasComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(stanza, 0, 4).Draw(t, "stanzas")
		var texts []string
		for _, s := range want {
			texts = append(texts, s.String())
		}
		got, err := deb.Parse(strings.Join(texts, "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]deb.Stanza(nil), want...), got); diff != "" && len(want) > 0 {
			t.Fatal(diff)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("Package: a\nVersion: 1\n\nPackage: b\n x\n")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := deb.Parse(text)
		if err != nil {
			return
		}
		var again []string
		for _, s := range first {
			again = append(again, s.String())
		}
		second, err := deb.Parse(strings.Join(again, "\n"))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%q", err, again)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatal(diff)
		}
	})
}

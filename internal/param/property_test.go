package param

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
)

// anyValue draws a YAML value in flow style.
func anyValue(depth int) *rapid.Generator[string] {
	scalar := rapid.SampledFrom([]string{
		"1", "-7", "0.5", "yes", "off", "null", "''", "text", "10.0.0.1", "/data", "64MiB", "5s", "[]", "{}", "'[? a'", "99999999999999999999", "'@daily'",
	})
	if depth == 0 {
		return scalar
	}
	return rapid.OneOf(scalar,
		rapid.Custom(func(t *rapid.T) string {
			return "[" + strings.Join(rapid.SliceOfN(anyValue(depth-1), 0, 3).Draw(t, "items"), ", ") + "]"
		}),
		rapid.Custom(func(t *rapid.T) string {
			names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"name", "rules", "haproxy", "src_port", "extensions", "password", "xyz"}), 0, 3, rapid.ID).Draw(t, "names")
			for i := range names {
				names[i] += ": " + anyValue(depth-1).Draw(t, "value")
			}
			return "{" + strings.Join(names, ", ") + "}"
		}),
	)
}

// Whatever a parameter is set to, checking it does not panic, and an inventory without errors
// decodes without any.
func TestAnyValueOfAnyParameter(t *testing.T) {
	var names []string
	for _, p := range Catalogue() {
		names = append(names, p.Name)
	}
	for _, r := range renames {
		names = append(names, r.from)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "name")
		text := "all: {hosts: {10.0.0.1: {" + name + ": " + anyValue(3).Draw(t, "value") + "}}}"
		inv, problems := inventory.Parse("x.yml", []byte(text), inventory.Options{})
		if problems.HasErrors() {
			t.Fatalf("%s: %v", text, problems)
		}
		checked := Check(inv)
		decoded := decodeAll(inv.Vars("10.0.0.1"))
		if checked.HasErrors() != decoded.HasErrors() {
			t.Fatalf("%s\nchecked: %v\ndecoded: %v", text, checked, decoded)
		}
	})
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("all: {vars: {pg_users: [{name: a}], pg_port: x}}"))
	f.Add([]byte("all: {vars: {pg_exists_action: [clean], node_packages: 1}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, problems := inventory.Parse("x.yml", data, inventory.Options{})
		problems.Add(Check(inv)...)
		problems.Sort()
		if err := problems.Write(&strings.Builder{}); err != nil {
			t.Error(err)
		}
		var _ diag.List = decodeAll(inv.Global())
	})
}

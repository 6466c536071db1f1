package pguser

import (
	"reflect"
	"testing"
)

// Each field is in the list once, with a keyword and a column of its own.
func TestAllHasEveryField(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range All {
		for _, name := range []string{a.Name, a.Keyword, a.Column} {
			if name == "" || seen[name] {
				t.Errorf("%+v: %q is empty or taken", a, name)
			}
			seen[name] = true
		}
		var attributes Attributes
		*a.In(&attributes) = true
		on := reflect.ValueOf(attributes)
		for i := range on.NumField() {
			if on.Field(i).Bool() {
				seen[on.Type().Field(i).Name+"!"] = true
			}
		}
	}
	for i := range reflect.TypeFor[Attributes]().NumField() {
		if name := reflect.TypeFor[Attributes]().Field(i).Name; !seen[name+"!"] {
			t.Errorf("%s is not in the list", name)
		}
	}
}

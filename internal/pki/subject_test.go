package pki

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseSubject(t *testing.T) {
	for in, want := range map[string]string{
		"/CN=root-ca":                   "CN=root-ca",
		"/C=CN/ST=x/L=y/O=z/OU=w/CN=ca": "CN=ca,OU=w,O=z,L=y,ST=x,C=CN",
		"/CN=first/O=last":              "O=last,CN=first",
		`/CN=a\/b=c\\d`:                 `CN=a/b=c\\d`,
	} {
		name, err := parseSubject(in)
		if err != nil || name.String() != want {
			t.Errorf("%s: got %s, %v; want %s", in, name, err, want)
		}
	}
	for _, bad := range []string{"", "CN=ca", "/", "/CN", "/CN=", "/CN=a/", "/DC=example", "/cn=lower"} {
		if name, err := parseSubject(bad); err == nil {
			t.Errorf("%q was taken for %s", bad, name)
		}
	}
}

func TestSubjectKeepsValuesAndOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.StringN(1, -1, -1), 1, 6).Draw(t, "values")
		var text strings.Builder
		for _, v := range values {
			text.WriteString("/OU=" + strings.NewReplacer(`\`, `\\`, "/", `\/`).Replace(v))
		}
		name, err := parseSubject(text.String())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range name.ExtraNames {
			got = append(got, a.Value.(string))
		}
		if !slices.Equal(got, values) {
			t.Fatalf("got %q, want %q", got, values)
		}
	})
}

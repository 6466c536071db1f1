package pki

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// attributes are the parts of a name that a subject may have, by the names openssl gives them.
var attributes = map[string]asn1.ObjectIdentifier{
	"C":  {2, 5, 4, 6},
	"ST": {2, 5, 4, 8},
	"L":  {2, 5, 4, 7},
	"O":  {2, 5, 4, 10},
	"OU": {2, 5, 4, 11},
	"CN": {2, 5, 4, 3},
}

// parseSubject reads a name in the form of openssl's -subj: "/O=pigsty/CN=root-ca", with \/ for
// a slash in a value. The order is kept.
func parseSubject(s string) (pkix.Name, error) {
	var name pkix.Name
	if !strings.HasPrefix(s, "/") {
		return name, fmt.Errorf("ca_subject %q does not start with a slash, as in /CN=root-ca", s)
	}
	for _, part := range splitSubject(s[1:]) {
		key, value, ok := strings.Cut(part, "=")
		id, known := attributes[key]
		switch {
		case !ok || value == "":
			return name, fmt.Errorf("ca_subject %q: %q is not of the form CN=root-ca", s, part)
		case !known:
			return name, fmt.Errorf("ca_subject %q: %q is none of %s", s, key, strings.Join(slices.Sorted(maps.Keys(attributes)), ", "))
		}
		// Not the named fields of pkix.Name: those come out in an order of their own.
		name.ExtraNames = append(name.ExtraNames, pkix.AttributeTypeAndValue{Type: id, Value: value})
	}
	return name, nil
}

// splitSubject cuts at slashes that no backslash precedes, and takes the backslashes away.
func splitSubject(s string) []string {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			part.WriteByte(s[i])
		case s[i] == '/':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(s[i])
		}
	}
	return append(parts, part.String())
}

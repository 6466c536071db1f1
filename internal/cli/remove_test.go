package cli

import (
	"os"
	"strings"
	"testing"
)

// What may not be removed is refused before anything is touched, with the reason.
func TestRemoveInstanceRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		down string // a node that cannot be reached
		want string
	}{
		"protected":       {args: []string{"pg-test-2"}, want: "pg-test-2 is protected by pg_safeguard"},
		"a cluster":       {args: []string{"pg-test"}, want: "pg-test is a cluster: name one of its instances"},
		"nobody":          {args: []string{"pg-tset-2"}, want: "its clusters are pg-meta, pg-test"},
		"the primary":     {args: []string{"pg-test-1", "-e", "pg_safeguard=false"}, want: "pg-test-1 is the primary of pg-test: switch over first"},
		"on a node off":   {args: []string{"pg-test-2", "-e", "pg_safeguard=false", "--yes-destroy", "pg-test-2"}, down: "10.10.10.12", want: "10.10.10.12"},
		"an unknown form": {args: []string{"pg-test-2", "-o", "xml"}, want: "want one of table, json, yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sandboxSite(t)
			s.fleet.Down = func(addr string) error {
				if addr == c.down {
					return os.ErrDeadlineExceeded
				}
				return nil
			}
			got := s.must(exitFailed, append([]string{"remove", "instance"}, c.args...)...)
			if !strings.Contains(got.out+got.err, c.want) {
				t.Errorf("does not say %q:\n%s%s", c.want, got.out, got.err)
			}
		})
	}
}

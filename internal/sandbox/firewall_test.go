package sandbox

import "testing"

// A host that has never had a sandbox lacks iptables, and what begins by cleaning up, as every test
// on nodes does, must not end there.
func TestNoRulesWithoutIptables(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := deleteRules(t.Context(), "never-was", func([]string) bool { return true }); err != nil {
		t.Error(err)
	}
}

package health

import "testing"

func TestRunning(t *testing.T) {
	for name, c := range map[string]struct{ role, replication, version, want string }{
		"primary":                       {"primary", "", "4.0.7", "running"},
		"replica that is fed":           {"replica", "streaming", "4.0.7", "streaming"},
		"replica fed from an archive":   {"replica", "in archive recovery", "4.0.7", "in archive recovery"},
		"replica that nobody feeds":     {"replica", "", "4.0.7", NotStreaming},
		"standby leader without a feed": {"standby_leader", "", "3.0.4", NotStreaming},
		"Patroni that does not say":     {"replica", "", "3.0.2", "running"},
	} {
		got := running(c.role, c.replication, c.version)
		if got != c.want {
			t.Errorf("%s: %s instead of %s", name, got, c.want)
		}
		if works := (Member{State: got}).Works(); works != (c.want != NotStreaming) {
			t.Errorf("%s: works: %v", name, works)
		}
	}
}

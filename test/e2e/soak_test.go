//go:build e2e && soak

package e2e

import (
	"flag"
	"testing"
	"time"
)

var soakFor = flag.Duration("for", 30*time.Minute, "how long nobody may be called")

// TestSoak holds for half an hour what TestAlerts holds for two minutes, with the intervals that people
// have: a system that is healthy, and at work, calls nobody. It takes so long that it has a build tag of
// its own.
func TestSoak(t *testing.T) {
	a := newAlarms(t, "t-soak", "10.10.89.0/24", "")
	a.healthyFor(*soakFor)
	a.planIsEmpty()
}

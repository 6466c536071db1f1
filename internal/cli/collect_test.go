package cli

import (
	"runtime/debug"
	"testing"
	"time"
)

// Only the first collection is put off: a run over a thousand nodes must not grow without end.
func TestCollectionIsAsUsualAfterTheFirst(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	collectLate()
	percent := func() int {
		now := debug.SetGCPercent(-1)
		debug.SetGCPercent(now)
		return now
	}
	if got := percent(); got != lateGC {
		t.Errorf("it begins with %d percent", got)
	}
	for deadline := time.Now().Add(10 * time.Second); percent() != 100; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it is still %d percent", percent())
		}
		collectAsUsual()
	}
}

package model

import "testing"

// What Patroni demands of its times holds for each, and a longer name means a longer outage.
func TestTimings(t *testing.T) {
	var before Timing
	for _, name := range []string{"fast", "norm", "safe", "wide"} {
		now := timings[name]
		if now.TTL < 20 || now.TTL < now.LoopWait+2*now.RetryTimeout {
			t.Errorf("%s: Patroni refuses %+v", name, now)
		}
		best, worst := now.Outage()
		_, last := before.Outage()
		if best >= worst || worst <= last {
			t.Errorf("%s: %s to %s, after at most %s", name, best, worst, last)
		}
		t.Logf("%s: %s", name, now.Describe())
		before = now
	}
}

// Without pg_rto all is as in v1.5.
func TestTimingOfV15(t *testing.T) {
	const options = "inter 3s fastinter 1s downinter 5s rise 3 fall 3 on-marked-down shutdown-sessions slowstart 30s maxconn 3000 maxqueue 128 weight 100"
	if got := timings[""].ServerOptions(); got != options {
		t.Errorf("options %q", got)
	}
}

package drill

import (
	"testing"
	"time"
)

const patroniLog = `2026-11-23 02:47:15 +0000 INFO: as it was before the format had milliseconds
+0000 2026-11-23 02:47:15.243 INFO: no action. I am (pg-test-2), a secondary, and following a leader (pg-test-1)
+0100 2026-11-23 03:47:20.251 INFO: following a different leader because i am not the healthiest node
Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/patroni/ha.py", line 1, in run
+0000 2026-11-23 02:47:22.164 WARNING: Request failed to pg-test-1: GET https://10.10.92.10:8008/patroni
`

func TestParseLog(t *testing.T) {
	since := time.Date(2026, 11, 23, 2, 47, 16, 0, time.UTC)
	lines := parseLog(patroniLog, since, 100*time.Millisecond)
	if len(lines) != 2 {
		t.Fatalf("%d lines: %+v", len(lines), lines)
	}
	if want := since.Add(4151 * time.Millisecond); !lines[0].at.Equal(want) || lines[0].text != "following a different leader because i am not the healthiest node" {
		t.Errorf("the first is %+v, and should be at %s", lines[0], want)
	}
	if lines[1].text != "Request failed to pg-test-1: GET https://10.10.92.10:8008/patroni" {
		t.Errorf("the second is %q", lines[1].text)
	}
}

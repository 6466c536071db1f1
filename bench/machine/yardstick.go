package machine

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Yardstick does a fixed piece of work, of the kind that those who collect metrics do, and gives the
// processor time that it took: some milliseconds. Where others use the machine, of which a virtual one
// does not see all, the same work takes longer, and so does what is measured beside it.
func Yardstick() (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began, err := threadTime()
	if err != nil {
		return 0, err
	}
	if err := work(); err != nil {
		return 0, err
	}
	ended, err := threadTime()
	return ended - began, err
}

// work writes metrics, compresses them, reads them and sorts them.
func work() error {
	const rows = 4000
	var packed bytes.Buffer
	to := gzip.NewWriter(&packed)
	for i := range rows {
		fmt.Fprintf(to, "machine_requests_total{code=\"%d\",host=\"node-%d\"} %d\n", 200+i%7, i*7919%rows, i*i)
	}
	if err := to.Close(); err != nil {
		return err
	}
	from, err := gzip.NewReader(&packed)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	seen := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, " ")
		seen[name] = value
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) != rows {
		return fmt.Errorf("the yardstick has %d marks instead of %d", len(names), rows)
	}
	return nil
}

func threadTime() (time.Duration, error) {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at); err != nil {
		return 0, fmt.Errorf("read the thread's processor time: %w", err)
	}
	return time.Duration(at.Nano()), nil
}

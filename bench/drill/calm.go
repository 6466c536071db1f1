package main

import (
	"context"
	"time"

	"pigsty/bench/machine"
)

// calm waits until the machine's load average of a minute is below the limit, and returns it; a
// limit of 0 is always met.
func calm(ctx context.Context, limit float64, patience time.Duration) (float64, error) {
	for deadline := time.Now().Add(patience); ; {
		load, err := machine.Now().Minute()
		if err != nil {
			return 0, err
		}
		if limit == 0 || load < limit || time.Now().After(deadline) {
			return load, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(5 * time.Second):
		}
	}
}

package patroni

import (
	"fmt"
	"slices"
)

// Before tells whether a version of Patroni, such as "4.0.7", is older than another. An empty one is
// not known, and not older than any.
func Before(text string, version ...int) bool {
	if text == "" {
		return false
	}
	own := make([]int, 3)
	// A version of fewer numbers, or with a suffix, leaves the rest at zero.
	_, _ = fmt.Sscanf(text, "%d.%d.%d", &own[0], &own[1], &own[2])
	return slices.Compare(own, version) < 0
}

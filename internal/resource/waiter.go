package resource

// Waiter is a resource whose Apply does nothing but wait, or can be left at any moment as if it
// had. When a run is stopped it is given up at once; all others finish the step they are at.
type Waiter interface {
	Resource
	// Waits marks the kind.
	Waits()
}

package operation

import "pigsty/internal/resource"

// Kept is something that was removed and can be brought back, and where it is.
type Kept struct {
	Node     string `json:"node"`      // address; of what lies in a database server, its primary's
	NodeName string `json:"node_name"` // nodename
	resource.Aside
}

package resource

// Action is what a change does to its resource.
type Action string

const (
	Create Action = "create" // it is not there
	Update Action = "update" // it is there and differs
	Delete Action = "delete" // it is there and must not be
	Run    Action = "run"    // it is an event to happen, such as a reload
)

// Symbol is the character that marks the action in a printed plan.
func (a Action) Symbol() string {
	switch a {
	case Create:
		return "+"
	case Delete:
		return "-"
	case Run:
		return "!"
	default:
		return "~"
	}
}

// Impact is what a change costs the people who use the databases. Higher is worse.
type Impact int

const (
	NoImpact   Impact = iota // nobody notices
	Reload                   // a service rereads its settings; no connection is lost
	Restart                  // a service restarts; connections to it break and come back
	Switchover               // the primary moves; writes pause for a moment
	DataLoss                 // data is removed
)

var impactNames = [...]string{"none", "reload", "restart", "switchover", "data loss"}

func (i Impact) String() string { return impactNames[i] }

// MarshalText writes the impact's name, so that JSON plans read "restart", not 2.
func (i Impact) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads a name written by MarshalText; an unknown one counts as data loss, the
// reading that asks for most care.
func (i *Impact) UnmarshalText(text []byte) error {
	*i = DataLoss
	for n, name := range impactNames {
		if name == string(text) {
			*i = Impact(n)
		}
	}
	return nil
}

// Change is what applying a resource would do. It is a value: everything shown to people, and
// the JSON plan, derives from it. It never holds a secret.
type Change struct {
	Action Action  `json:"action"`
	Fields []Field `json:"fields,omitempty"` // attributes that differ
	Diff   string  `json:"diff,omitempty"`   // unified diff of a file's content
	Impact Impact  `json:"impact,omitempty"`
	// Effect says in a few words what Impact means here, such as "restart etcd, one member at
	// a time"; empty when Impact says it all.
	Effect string `json:"effect,omitempty"`
}

// Field is one attribute that differs; Before is empty for a thing that is created.
type Field struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Add appends a field when the two values differ.
func (c *Change) Add(name, before, after string) {
	if before != after {
		c.Fields = append(c.Fields, Field{Name: name, Before: before, After: after})
	}
}

// OrNil returns the change, or nil when it neither creates, deletes, runs nor differs anywhere.
func (c *Change) OrNil() *Change {
	if c.Action == Update && len(c.Fields) == 0 && c.Diff == "" {
		return nil
	}
	return c
}

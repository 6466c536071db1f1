// Package resource describes desired things on a node, one kind per file: what each should be,
// how to see whether it is (Diff, which only observes) and how to make it so (Apply). The kinds
// here are those of any system, such as files, packages and units; those of one service have a
// package of their own below this one, and register here.
//
// A resource is plain data. The controller builds it, sends it as JSON, and the agent on the
// node carries it out; the two methods never run on the controller.
package resource

import (
	"context"
	"encoding/json"
	"fmt"
)

// Resource is one desired thing on one node.
type Resource interface {
	// Kind is the type's name in plans and on the wire, such as "file".
	Kind() string
	// Name tells it apart from others of its kind on the node, such as "/etc/hosts".
	Name() string
	// Diff observes the node and returns what Apply would change, or nil when nothing. It
	// changes nothing. When something that an earlier step brings is missing (a package, a
	// running server), it answers as if everything that depends on it is to be created.
	Diff(ctx context.Context, h *Host) (*Change, error)
	// Apply makes the thing so. It is called only after Diff returned a change, and must be
	// safe to repeat after an interruption at any point.
	Apply(ctx context.Context, h *Host) error
}

// kinds makes an empty resource of each kind, for Decode.
var kinds = map[string]func() Resource{}

// Register makes a kind known to Decode; each kind's file calls it once from a package variable,
// with a function that makes an empty resource. It panics when the kind's name is taken.
//
// Kinds of other packages are known where their package is linked; package agent sees to that.
func Register(make func() Resource) bool {
	kind := make().Kind()
	if _, taken := kinds[kind]; taken {
		panic("resource kind " + kind + " is registered twice")
	}
	kinds[kind] = make
	return true
}

// Decode rebuilds a resource of the given kind from its JSON.
func Decode(kind string, data []byte) (Resource, error) {
	construct, ok := kinds[kind]
	if !ok {
		return nil, fmt.Errorf("resource kind %q is not known to this agent", kind)
	}
	r := construct()
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("decode %s: %w", kind, err)
	}
	return r, nil
}

// ID is a resource's address on its node: "file:/etc/hosts".
func ID(r Resource) string { return r.Kind() + ":" + r.Name() }

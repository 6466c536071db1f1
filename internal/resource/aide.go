package resource

import (
	"context"
	"encoding/json"
	"fmt"
)

// Aide is a part of a step that is done on another node, at the moment at which the step calls
// for it; see Step.Aides and Host.Call. It is plain data, as a resource is.
type Aide interface {
	// AideKind is the type's name on the wire.
	AideKind() string
	// Assist does the part that the order asks for, on the aide's own node. It may run beside
	// other steps there.
	Assist(ctx context.Context, h *Host, order json.RawMessage) error
}

// aideKinds makes an empty aide of each kind, for DecodeAide.
var aideKinds = map[string]func() Aide{}

// RegisterAide makes a kind known to DecodeAide, as Register does for resources.
func RegisterAide(make func() Aide) bool {
	kind := make().AideKind()
	if _, taken := aideKinds[kind]; taken {
		panic("aide kind " + kind + " is registered twice")
	}
	aideKinds[kind] = make
	return true
}

// DecodeAide rebuilds an aide of the given kind from its JSON.
func DecodeAide(kind string, data []byte) (Aide, error) {
	construct, ok := aideKinds[kind]
	if !ok {
		return nil, fmt.Errorf("aide kind %q is not known to this agent", kind)
	}
	a := construct()
	if err := json.Unmarshal(data, a); err != nil {
		return nil, fmt.Errorf("decode %s: %w", kind, err)
	}
	return a, nil
}

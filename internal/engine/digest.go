package engine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"pigsty/internal/resource"
)

// Digest identifies what carrying out the plan would do to the graph's nodes, whatever else was
// observed there: the changes, and what is wanted of the steps that change. A change tells
// nothing of a secret, such as which password is set, and the digest must: therefore the steps,
// and therefore a key, without which nobody can try passwords against the digest.
func (p *Plan) Digest(g *Graph, key []byte) (string, error) {
	h := hmac.New(sha256.New, key)
	encoder := json.NewEncoder(h)
	for _, node := range p.Nodes {
		if err := encoder.Encode([]any{node.Node, node.Error, node.Changes}); err != nil {
			return "", err
		}
		pending := map[string]bool{}
		for _, c := range node.Changes {
			pending[c.Kind+":"+c.Name] = true
		}
		for _, s := range g.Steps(node.Node) {
			if !pending[resource.ID(s.Resource)] {
				continue
			}
			if err := encoder.Encode([]any{s, s.After}); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

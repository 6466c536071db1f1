// Package pki is the deployment's own certificate authority. Its key stays with the
// controller; a node makes its private keys itself and sends only requests to be signed.
package pki

import (
	"net/netip"
	"slices"
)

// CAPath is where every node has the certificate of the deployment's authority, for whatever there checks
// whom it speaks to. The node module puts it there.
const CAPath = "/etc/pigsty/ca.crt"

// Leaf says what a certificate is for.
type Leaf struct {
	CommonName string   `json:"common_name"`
	DNSNames   []string `json:"dns_names,omitempty"`
	Addresses  []string `json:"addresses,omitempty"` // IP addresses
	Days       int      `json:"days"`                // validity
}

// Request is what a node asks the authority to sign.
type Request struct {
	CSR  []byte `json:"csr"` // PEM; only its public key is used, the rest comes from Leaf
	Leaf Leaf   `json:"leaf"`
}

// Names divides what something is called by into host names and addresses, each once, for a Leaf.
// Empty ones are left out.
func Names(names ...string) (dns, addresses []string) {
	for _, name := range names {
		list := &dns
		if _, err := netip.ParseAddr(name); err == nil {
			list = &addresses
		}
		if name != "" && !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	return dns, addresses
}

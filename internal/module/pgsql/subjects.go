package pgsql

import (
	"net/netip"
	"slices"
)

// subjects divides names into host names and addresses, each once.
func subjects(names []string) (dns, addresses []string) {
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

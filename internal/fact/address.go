package fact

import (
	"fmt"
	"net"
	"strings"
)

// Addresses are those of the node's interfaces that are up, without loopback and link-local ones,
// in the kernel's order; of a root other than "", see Gather.
func Addresses(root string) ([]Address, error) { return tree(root).addresses() }

func (t tree) addresses() ([]Address, error) {
	if t != "" {
		return t.listedAddresses(), nil
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	var all []Address
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		own, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("list addresses of %s: %w", i.Name, err)
		}
		for _, a := range own {
			if prefix, ok := a.(*net.IPNet); ok && !prefix.IP.IsLinkLocalUnicast() {
				all = append(all, Address{Interface: i.Name, Prefix: prefix.String()})
			}
		}
	}
	return all, nil
}

func (t tree) listedAddresses() []Address {
	var all []Address
	for line := range strings.SplitSeq(t.read("/run/addresses"), "\n") {
		if words := strings.Fields(line); len(words) == 2 {
			all = append(all, Address{Interface: words[0], Prefix: words[1]})
		}
	}
	return all
}

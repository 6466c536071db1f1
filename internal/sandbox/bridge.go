package sandbox

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
)

// bridgeName is the network device of a sandbox; the kernel allows 15 characters.
func bridgeName(sandbox string) string {
	if name := "pgs-" + sandbox; len(name) <= 15 {
		return name
	}
	return fmt.Sprintf("pgs-%.4s-%.6s", sandbox, hash(sandbox))
}

// ensureBridge makes the bridge with the host's address on it, as far as it is not there.
func ensureBridge(c *Config) error {
	name := bridgeName(c.Name)
	fail := func(err error) error { return fmt.Errorf("make bridge %s: %w", name, err) }
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	attrs.HardwareAddr = bridgeMAC(name)
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil && !errors.Is(err, os.ErrExist) {
		return fail(err)
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fail(err)
	}
	addr := &netlink.Addr{IPNet: &net.IPNet{
		IP:   c.gateway().AsSlice(),
		Mask: net.CIDRMask(c.Subnet.Bits(), 32),
	}}
	if err := netlink.AddrReplace(link, addr); err != nil {
		return fail(err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fail(err)
	}
	// Traffic between two nodes passes the host's firewall on this bridge only, so that a cut
	// between them can be made there.
	if err := os.WriteFile("/sys/class/net/"+name+"/bridge/nf_call_iptables", []byte("1"), 0); err != nil {
		return fail(err)
	}
	return nil
}

// bridgeMAC stays the same whatever is plugged in; otherwise the bridge takes over the lowest
// address of its ports and the nodes lose their gateway for a while.
func bridgeMAC(name string) net.HardwareAddr {
	sum := sha256.Sum256([]byte(name))
	return append(net.HardwareAddr{0x02, 'p', 'g'}, sum[:3]...)
}

// checkSubnet refuses a subnet that the host or another sandbox reaches by another way.
func checkSubnet(c *Config) error {
	names, err := List()
	if err != nil {
		return err
	}
	for _, name := range names {
		other, err := Open(name)
		if err == nil && name != c.Name && other.cfg.Subnet.Overlaps(c.Subnet) {
			return fmt.Errorf("subnet %s overlaps %s of sandbox %s; choose another one with --subnet",
				c.Subnet, other.cfg.Subnet, name)
		}
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list the host's routes: %w", err)
	}
	for _, r := range routes {
		if r.Dst == nil {
			continue
		}
		bits, _ := r.Dst.Mask.Size()
		addr, ok := netip.AddrFromSlice(r.Dst.IP.To4())
		prefix := netip.PrefixFrom(addr, bits)
		if !ok || bits == 0 || !prefix.Overlaps(c.Subnet) {
			continue
		}
		device := "another device"
		if link, err := netlink.LinkByIndex(r.LinkIndex); err == nil {
			device = link.Attrs().Name
		}
		if device != bridgeName(c.Name) {
			return fmt.Errorf("subnet %s overlaps %s, which this host reaches through %s; choose another one with --subnet",
				c.Subnet, prefix, device)
		}
	}
	return nil
}

// setLink plugs a network device in or out.
func setLink(name string, up bool) error {
	link, err := netlink.LinkByName(name)
	if err == nil && up {
		err = netlink.LinkSetUp(link)
	} else if err == nil {
		err = netlink.LinkSetDown(link)
	}
	return err
}

func linkIsUp(name string) bool {
	link, err := netlink.LinkByName(name)
	return err == nil && link.Attrs().Flags&net.FlagUp != 0
}

// deleteLink removes a network device; one that is not there is no error.
func deleteLink(name string) error {
	link, err := netlink.LinkByName(name)
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return nil
	}
	if err == nil {
		err = netlink.LinkDel(link)
	}
	if err != nil && !errors.As(err, &missing) && linkExists(name) {
		return fmt.Errorf("delete network device %s: %w", name, err)
	}
	return nil
}

func linkExists(name string) bool {
	_, err := net.InterfaceByName(name)
	return err == nil
}

// forgetNeighbour drops an address the host asks for in vain, so that it asks again at once.
func forgetNeighbour(sandbox string, addr netip.Addr) {
	link, err := net.InterfaceByName(bridgeName(sandbox))
	if err != nil {
		return
	}
	_ = netlink.NeighDel(&netlink.Neigh{LinkIndex: link.Index, IP: addr.AsSlice()}) // mostly there is none
}

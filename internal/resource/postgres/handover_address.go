package postgres

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// established is the state of a connection in /proc/net/tcp.
const established = "01"

// addressInUse tells whether anybody is connected to this node by the virtual address.
func (k *keeper) addressInUse() (bool, error) {
	wanted, err := netip.ParseAddr(k.VIP)
	if err != nil {
		return false, err
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(k.host.Path(table))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) > 3 && fields[3] == established && procAddress(fields[1]) == wanted {
				return true, nil
			}
		}
	}
	return false, nil
}

// procAddress reads an address as /proc/net writes it: words of four bytes, each the other way
// round, and a port.
func procAddress(text string) netip.Addr {
	address, _, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(address)
	if err != nil || len(raw)%4 != 0 {
		return netip.Addr{}
	}
	for at := 0; at < len(raw); at += 4 {
		slices.Reverse(raw[at : at+4])
	}
	a, _ := netip.AddrFromSlice(raw)
	return a.Unmap()
}

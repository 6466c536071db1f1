package sandbox

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func complete(t *testing.T, c Config) Config {
	t.Helper()
	if err := c.setDefaults(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := complete(t, Config{})
	if err := c.validate(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range c.Nodes {
		got = append(got, n.Name+" "+n.Addr.String())
	}
	want := []string{"meta 10.10.10.10", "node-1 10.10.10.11", "node-2 10.10.10.12", "node-3 10.10.10.13"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if c.gateway().String() != "10.10.10.1" || c.Release != "trixie" || c.Mode != LayerInstalled {
		t.Errorf("defaults: %+v", c)
	}
}

func TestExplicitAddresses(t *testing.T) {
	c := complete(t, Config{
		Subnet: netip.MustParsePrefix("10.9.0.7/16"), // a host's address in it will do
		Addrs:  []netip.Addr{netip.MustParseAddr("10.9.1.5"), netip.MustParseAddr("10.9.200.6")},
	})
	if err := c.validate(); err != nil {
		t.Fatal(err)
	}
	if c.Subnet.String() != "10.9.0.0/16" || joinNames(c.Nodes) != "meta, node-1" || c.Nodes[1].Addr.String() != "10.9.200.6" {
		t.Errorf("%v, %v", c.Subnet, c.Nodes)
	}
}

func TestValidateReportsEverything(t *testing.T) {
	c := complete(t, Config{
		Name: "Has Blanks", Release: "potato", Mode: "half", Cache: "relative", Binary: "/no/such/pigsty",
		Addrs: []netip.Addr{netip.MustParseAddr("10.10.10.1"), netip.MustParseAddr("10.10.11.10")},
	})
	err := c.validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"sandbox name", "potato", "half", "relative", "/no/such/pigsty", "taken by", "outside the subnet"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not mention %q:\n%v", want, err)
		}
	}
}

func TestUpOfExisting(t *testing.T) {
	old := complete(t, Config{Name: "a", Layer: []string{"etcd-server", "patroni"}, Count: 3})
	same, err := Config{Name: "a", Layer: []string{"patroni", "etcd-server"}, Binary: "/other/pigsty"}.over(old)
	if err != nil {
		t.Fatal(err)
	}
	if len(same.Nodes) != 3 || same.Binary != "/other/pigsty" || same.Subnet != old.Subnet {
		t.Errorf("%+v", same)
	}
	_, err = Config{Name: "a", Release: "bookworm", Count: 4, Docker: true, Layer: []string{"redis"}}.over(old)
	if err == nil {
		t.Fatal("another sandbox of the same name was accepted")
	}
	for _, want := range []string{"trixie", "node count 3", "Docker", "patroni", "take it down first"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not mention %q:\n%v", want, err)
		}
	}
}

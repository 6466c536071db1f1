package infra

import "pigsty/internal/resource"

const (
	dnsmasqUnit    = "dnsmasq.service"
	dnsmasqConfig  = "/etc/dnsmasq.d/pigsty.conf"
	dnsmasqRecords = certDir + "/dns.hosts"
)

// nameserver answers for the names of dns_records, and passes other questions on.
func (b *builder) nameserver() {
	b.on("nameserver")
	if !b.p.NameserverEnabled {
		b.off(dnsmasqUnit)
		return
	}
	b.add(&resource.Packages{ID: "dnsmasq", Packages: []string{"dnsmasq"}})
	b.file(dnsmasqConfig, struct{ Addr, Records string }{b.n.Addr, dnsmasqRecords}, resource.RestartOf(dnsmasqUnit))
	b.file(dnsmasqRecords, b.p.DnsRecords, resource.ReloadOf(dnsmasqUnit))
	b.add(&resource.Unit{Unit: dnsmasqUnit})
}

package infra

import (
	"pigsty/internal/model"
	"pigsty/internal/resource"
)

const (
	dnsmasqConfig  = "/etc/dnsmasq.d/pigsty.conf"
	dnsmasqRecords = certDir + "/dns.hosts"
)

// nameserver answers for the names of dns_records, and passes other questions on.
func (b *builder) nameserver() {
	b.on("nameserver")
	if !b.p.NameserverEnabled {
		b.off(model.DnsmasqUnit)
		return
	}
	b.add(&resource.Packages{ID: "dnsmasq", Packages: []string{"dnsmasq"}})
	b.file(dnsmasqConfig, struct{ Addr, Records string }{b.n.Addr, dnsmasqRecords}, resource.RestartOf(model.DnsmasqUnit))
	b.file(dnsmasqRecords, b.p.DnsRecords, resource.ReloadOf(model.DnsmasqUnit))
	b.run(model.DnsmasqUnit, resource.ReloadOf(model.DnsmasqUnit))
}

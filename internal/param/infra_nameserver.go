package param

// Nameserver is section NAMESERVER.
type Nameserver struct {
	NameserverEnabled bool     `level:"cluster" default:"false" help:"run a name server on infrastructure nodes"`
	DnsRecords        []string `level:"global" default:"[]" kind:"hosts" help:"names that it serves, as lines of a hosts file"`
}

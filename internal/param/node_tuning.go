package param

// NodeTuning is section NODE_TUNE: the kernel and what runs beside the services.
type NodeTuning struct {
	NodeDisableFirewall bool              `level:"cluster" default:"false" help:"stop and disable the firewall"`
	NodeDisableSelinux  bool              `level:"cluster" default:"false" help:"make SELinux permissive; nothing to do on Debian"`
	NodeDisableNuma     bool              `level:"cluster" default:"false" help:"turn NUMA off at the next boot"`
	NodeDisableSwap     bool              `level:"cluster" default:"false" help:"turn swap off now and at boot"`
	NodeStaticNetwork   bool              `level:"cluster" default:"true" help:"keep DHCP from replacing the resolvers"`
	NodeDiskPrefetch    bool              `level:"cluster" default:"false" help:"raise the read-ahead of spinning disks"`
	NodeKernelModules   []string          `level:"cluster" default:"[softdog, br_netfilter, ip_vs, ip_vs_rr, ip_vs_wrr, ip_vs_sh]" help:"kernel modules to load now and at boot"`
	NodeTune            string            `level:"cluster" default:"tiny" oneof:"none oltp olap crit tiny" help:"tuned profile: latency, throughput, durability, a small machine, or none"`
	NodeSysctlParams    map[string]string `level:"cluster" default:"{}" help:"kernel parameters, over those of the profile"`
}

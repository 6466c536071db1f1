package node

import (
	"slices"

	"pigsty/internal/resource"
)

// sysctlID sorts after the files of Debian and its packages, so that ours count.
const sysctlID = "99-pigsty"

// firewalls are the services that filter packets on Debian, and the one of other systems that
// is packaged for it. One that is not there, or does nothing, is left as it is.
var firewalls = []string{"nftables.service", "ufw.service", "firewalld.service"}

// kernel sets what the kernel has and does, apart from tuned's profile.
func (b *builder) kernel() {
	p := b.n.Param
	b.on("modules")
	b.modules()
	b.on("sysctl")
	if len(p.NodeSysctlParams) > 0 {
		b.add(&resource.Sysctl{ID: sysctlID, Settings: p.NodeSysctlParams})
	} else {
		b.add(&resource.File{Path: "/etc/sysctl.d/" + sysctlID + ".conf", Absent: true})
	}
	b.on("swap")
	if p.NodeDisableSwap {
		b.add(&resource.Swap{Disabled: true})
		// systemd starts swap partitions that fstab does not name, too.
		b.add(&resource.Unit{Unit: "swap.target", Masked: true})
	}
	b.on("boot")
	b.fileWhen(p.NodeDiskPrefetch, "/etc/udev/rules.d/60-pigsty-readahead.rules")
	b.add(bootParameters(p.NodeDisableNuma))
	b.on("firewall")
	if p.NodeDisableFirewall {
		for _, unit := range firewalls {
			b.add(&resource.Unit{Unit: unit, Stopped: true, Disabled: true})
		}
	}
	b.on("")
}

// bootParameters are v1.5's for node_disable_numa.
func bootParameters(noNuma bool) *resource.CommandLine {
	if !noNuma {
		return &resource.CommandLine{ID: "pigsty", Absent: true}
	}
	return &resource.CommandLine{ID: "pigsty", Parameters: []string{"numa=off", "transparent_hugepage=never"}}
}

// modules are loaded in the order given; v1.5's default names one twice.
func (b *builder) modules() {
	var modules []string
	for _, name := range b.n.Param.NodeKernelModules {
		if !slices.Contains(modules, name) {
			modules = append(modules, name)
		}
	}
	if len(modules) > 0 {
		b.add(&resource.KernelModules{Modules: modules})
	} else {
		b.add(&resource.File{Path: "/etc/modules-load.d/pigsty.conf", Absent: true})
	}
}

// fileWhen adds the file of a template, or its absence when it is not wanted.
func (b *builder) fileWhen(wanted bool, path string) {
	if wanted {
		b.file(path, nil)
	} else {
		b.add(&resource.File{Path: path, Absent: true})
	}
}

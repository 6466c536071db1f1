package node

import (
	"path"

	"pigsty/internal/resource"
)

const (
	tunedUnit = "tuned.service"
	pageSize  = 4096
	// largeMemory is where v1.5 begins to set shared memory: below it the kernel's own limits
	// serve.
	largeMemory = 1048576 * pageSize
	// memoryGrain rounds the size of memory, which differs by some MiB from one kernel to the
	// next: a new kernel is no reason to set anything anew.
	memoryGrain = 64 << 20
)

// profiles are tuned's, for node_tune.
var profiles = []string{"oltp", "olap", "crit", "tiny"}

// tuneView is what the templates of the profiles need.
type tuneView struct {
	ShmMax, ShmAll int64 // 0 = left alone
}

// tune writes all profiles, so that one can be tried by hand, and switches to the chosen one.
func (b *builder) tune() {
	if b.n.Param.NodeTune == "none" {
		return
	}
	b.on("tuned")
	view := b.sharedMemory()
	for _, name := range profiles {
		f := &resource.File{
			Path:    path.Join(b.profileDir(), name, "tuned.conf"),
			Content: templates.Fill("/etc/tuned/"+name+".conf", view),
		}
		if name == b.n.Param.NodeTune {
			b.add(f, resource.RestartOf(tunedUnit))
		} else {
			b.add(f)
		}
	}
	b.add(&resource.TunedActive{Profile: b.n.Param.NodeTune}, resource.RestartOf(tunedUnit))
	b.add(&resource.Unit{Unit: tunedUnit})
	b.on("")
}

// profileDir is where tuned looks for an administrator's profiles: Debian 13's version has
// moved it.
func (b *builder) profileDir() string {
	if b.n.Facts.Release == 12 {
		return "/etc/tuned"
	}
	return "/etc/tuned/profiles"
}

// sharedMemory lets System V shared memory take half of a large machine.
func (b *builder) sharedMemory() tuneView {
	memory := b.n.Facts.Memory / memoryGrain * memoryGrain
	if memory <= largeMemory {
		return tuneView{}
	}
	return tuneView{ShmMax: memory / 2, ShmAll: memory / pageSize / 2}
}

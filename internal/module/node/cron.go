package node

import "pigsty/internal/resource"

const crontabFile = "/etc/crontab"

// crontab sets periodic jobs. An empty list takes back only what was added to the file: it is
// no wish to have the system's own jobs removed.
func (b *builder) crontab() {
	b.on("cron")
	jobs := b.n.Param.NodeCrontab
	if len(jobs) > 0 && b.n.Param.NodeCrontabOverwrite {
		b.file(crontabFile, jobs)
	} else {
		b.add(&resource.Block{Path: crontabFile, Marker: "crontab", Lines: jobs, Absent: len(jobs) == 0})
	}
	b.on("")
}

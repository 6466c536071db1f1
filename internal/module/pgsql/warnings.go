package pgsql

import (
	"pigsty/internal/diag"
	"pigsty/internal/model"
)

// Warnings tells of wishes that the members' systems cannot fulfil, each where the inventory has
// it.
func Warnings(d *model.Deployment) diag.List {
	var list diag.List
	for _, c := range d.Pg {
		if c.Param.VipMode != "l2" || !c.OldVIPManager() {
			continue
		}
		value := c.Primary().Node.Vars["vip_mode"]
		problem := list.Warnf(value.Pos, "cluster %s gets no virtual address: Debian 12's vip-manager cannot read what Patroni writes to etcd", c.Name)
		problem.Hint = "connect to the members' addresses, whose HAProxy finds the primary, or use Debian 13"
		value.Explain(problem)
	}
	return list
}

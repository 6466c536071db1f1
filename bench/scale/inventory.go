package main

import (
	"fmt"
	"strings"
)

// address is that of the i-th node.
func address(i int) string { return fmt.Sprintf("10.%d.%d.%d", 20+i/60000, i/250%250, 1+i%250) }

// inventory is a site of n nodes: PostgreSQL clusters of three, with two users and a database
// each, and etcd on the first three.
func inventory(n int) string {
	var b strings.Builder
	b.WriteString("all:\n  children:\n")
	for first := 0; first < n; first += 3 {
		fmt.Fprintf(&b, "    pg-%d:\n      hosts:\n", first/3)
		for seq := range min(3, n-first) {
			role := "replica"
			if seq == 0 {
				role = "primary"
			}
			fmt.Fprintf(&b, "        %s: { pg_seq: %d, pg_role: %s }\n", address(first+seq), seq+1, role)
		}
		fmt.Fprintf(&b, `      vars:
        pg_cluster: pg-%[1]d
        pg_users:
          - { name: app%[1]d, password: secret%[1]d, pgbouncer: true, roles: [dbrole_admin] }
          - { name: view%[1]d, password: secret%[1]d, pgbouncer: true, roles: [dbrole_readonly] }
        pg_databases:
          - { name: app%[1]d, schemas: [app] }
`, first/3)
	}
	fmt.Fprintf(&b, "  vars:\n    dcs_servers: { etcd-1: %s, etcd-2: %s, etcd-3: %s }\n    pg_dcs_type: etcd\n    node_tune: tiny\n    pg_conf: tiny.yml\n",
		address(0), address(1), address(2))
	return b.String()
}

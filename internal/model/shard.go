package model

// checkShards refuses two clusters under one number of a horizontal shard (pg_shard, pg_sindex).
func (b *builder) checkShards() {
	type place struct {
		shard string
		index int
	}
	taken := map[place]*PgCluster{}
	for _, c := range b.d.Pg {
		if c.Param.PgShard == "" {
			continue
		}
		p := place{c.Param.PgShard, c.Param.PgSindex}
		if other := taken[p]; other != nil {
			b.problems.Errorf(at(c.Primary().Node, "pg_sindex"), "clusters %s and %s are both number %d of shard %s", other.Name, c.Name, p.index, p.shard).
				Hint = "give each cluster of a shard a pg_sindex of its own, 0 for the coordinator"
			continue
		}
		taken[p] = c
	}
}

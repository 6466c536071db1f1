package model

import (
	"maps"
	"strconv"
)

// machineSettings computes what depends on the machine's memory, processors and disk. What the
// node has not told is left to PostgreSQL's own defaults.
func (i *PgInstance) machineSettings() map[string]string {
	s, f := i.Cluster.size(), i.Node.Facts
	out := map[string]string{}
	if !i.Node.Known {
		return out
	}
	if f.Memory > 0 {
		maps.Copy(out, s.memorySettings(f.Memory, i.Cluster.Param.PgSharedBufferRatio, i.connections()))
	}
	if f.CPUs > 0 {
		maps.Copy(out, s.processorSettings(f.CPUs))
	}
	if f.Disk > 0 {
		maps.Copy(out, s.diskSettings(f.Disk))
	}
	return out
}

func (i *PgInstance) connections() int64 {
	n, err := strconv.ParseInt(i.Cluster.ClusterSettings()["max_connections"], 10, 64)
	if err != nil || n < 1 {
		return 100 // PostgreSQL's default, for a pg_parameters entry that is no number
	}
	return n
}

// memorySettings divides the memory.
//
//   - shared_buffers is pg_shared_buffer_ratio of it: v1.5 had a quarter and no more than 32 GB,
//     later versions have the ratio alone, and param holds it to 0.4.
//   - effective_cache_size is the rest, as in later versions (v1.5: four fifths of the whole):
//     a hint for the planner, nothing is allocated.
//   - maintenance_work_mem is a quarter of shared_buffers, no more than 8 GB: v1.5's RAM/16.
//   - work_mem is such that all connections together, each with one sort, stay within the rest:
//     half of it, or all of it for olap. v1.5's 32 MB for 800 connections on 400 GB is a
//     sixteenth, its 32 MB for 400 connections on 8 GB was more than there is. Never less than
//     PostgreSQL's own 4 MB.
func (s size) memorySettings(memory int64, ratio float64, connections int64) map[string]string {
	if s.memory > 0 {
		memory = min(memory, s.memory*giga)
	}
	shared := max(int64(float64(memory)*ratio), 16*mega)
	rest := max(memory-shared, 0)
	work := rest / connections / 2
	if s.character == "olap" {
		work = rest / connections
	}
	return map[string]string{
		"shared_buffers":       megabytes(shared),
		"effective_cache_size": megabytes(max(rest, 64*mega)),
		"maintenance_work_mem": megabytes(min(max(shared/4, 16*mega), 8*giga)),
		"work_mem":             megabytes(min(max(work, 4*mega), characters[s.character].workMem*mega)),
	}
}

// processorSettings divides the processors: parallel workers get half of them (v1.5: 32 of 64),
// index builds an eighth up to 8 (8 of 64), and only olap runs queries in parallel, with up to
// 8 (v1.5) but no more than half of the processors. No figure is above max_worker_processes.
func (s size) processorSettings(cpus int) map[string]string {
	if s.cpus > 0 {
		cpus = min(cpus, s.cpus)
	}
	gather := 0
	if s.character == "olap" {
		gather = min(max(cpus/2, 2), 8)
	}
	return map[string]string{
		"max_parallel_workers":             strconv.Itoa(min(max(cpus/2, 2), s.workers)),
		"max_parallel_maintenance_workers": strconv.Itoa(min(max(cpus/8, 2), 8)),
		"max_parallel_workers_per_gather":  strconv.Itoa(gather),
	}
}

// diskSettings divides the disk in twentieths, as later versions do: one for WAL that is kept
// ready, four for WAL between checkpoints, six for WAL that a lost replica's slot holds back
// (without a bound it fills the disk), one for temporary files, and five of them for olap. The
// upper bounds are v1.5's figures. PostgreSQL refuses a min_wal_size below two segments of
// 16 MB; 80 MB is its default.
func (s size) diskSettings(disk int64) map[string]string {
	twentieth := disk / 20
	wal := max(min(twentieth, s.minWal*giga), 80*mega)
	temp := twentieth
	if s.character == "olap" {
		temp *= 5
	}
	return map[string]string{
		"min_wal_size":           megabytes(wal),
		"max_wal_size":           megabytes(wal * 4),
		"max_slot_wal_keep_size": megabytes(max(min(twentieth, 2*s.minWal*giga), 80*mega) * 6),
		"temp_file_limit":        megabytes(max(min(temp, s.temp*giga), giga)),
	}
}

// WalKeep is how much WAL members keep for a replica that has lost its slot, in MB: v1.5's
// figure, but no more than a twentieth of the smallest of the given members' disks. Patroni
// takes it from the cluster's settings only. 0 means that a member's disk is not known.
func (c *PgCluster) WalKeep(members ...*PgInstance) int64 {
	keep := c.size().walKeep * giga
	for _, i := range members {
		if !i.Node.Known || i.Node.Facts.Disk == 0 {
			return 0
		}
		keep = min(keep, i.Node.Facts.Disk/20)
	}
	return max(keep, 128*mega) / mega // 128 MB is Patroni's default
}

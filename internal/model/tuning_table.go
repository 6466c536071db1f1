package model

// size is how much of a machine a template takes: the row of v1.5's table of Patroni templates,
// where it does not follow from the machine itself. Those for small machines take no more than
// the machine they were made for, so that several of them share one.
type size struct {
	character   string
	connections int // max_connections
	workers     int // max_worker_processes: a ceiling, which costs next to nothing
	locks       int // max_locks_per_transaction
	memory      int64
	cpus        int
	minWal      int64
	walKeep     int64
	temp        int64
}

// sizes by template name. memory is in GiB and cpus a count, 0 for the whole machine; minWal,
// walKeep and temp are upper bounds in GB.
var sizes = map[string]size{
	"oltp":   {"oltp", 800, 64, 512, 0, 0, 100, 100, 100},
	"olap":   {"olap", 800, 64, 512, 0, 0, 100, 100, 500},
	"crit":   {"crit", 800, 64, 512, 0, 0, 100, 100, 100},
	"large":  {"oltp", 800, 16, 256, 32, 16, 50, 100, 100},
	"medium": {"oltp", 800, 8, 128, 16, 8, 20, 20, 100},
	"small":  {"oltp", 400, 8, 64, 8, 4, 10, 10, 40},
	"mini":   {"tiny", 200, 8, 64, 4, 2, 5, 1, 40},
	"tiny":   {"tiny", 100, 8, 64, 2, 2, 1, 1, 20},
}

// character is what a template is for.
type character struct {
	failover Failover
	workMem  int64 // upper bound of work_mem in MB
	settings map[string]string
	// libraries are settings that mean something only where the library is loaded.
	libraries map[string]map[string]string
}

// characters hold what sets v1.5's templates apart.
var characters = map[string]character{
	"oltp": {
		failover: Failover{MaximumLag: 1 << 20, StartTimeout: 10, StopTimeout: 30},
		workMem:  64,
		settings: merged(serverSettings, map[string]string{
			"idle_in_transaction_session_timeout": "10min",
		}),
	},
	"olap": {
		failover: Failover{MaximumLag: 16 << 20, StartTimeout: 10, StopTimeout: 30},
		workMem:  1024,
		settings: merged(serverSettings, map[string]string{
			"vacuum_cost_delay": "10ms", "vacuum_cost_limit": "10000",
			"bgwriter_lru_maxpages": "1600", "wal_writer_flush_after": "16MB",
			"log_min_duration_statement":          "1000",
			"idle_in_transaction_session_timeout": "0",
			"enable_partitionwise_join":           "on", "jit": "on", "jit_above_cost": "100000",
		}),
		libraries: map[string]map[string]string{"timescaledb": {"timescaledb.max_background_workers": "32"}},
	},
	"crit": {
		failover: Failover{MaximumLag: 1, StartTimeout: 120, StopTimeout: 10, SynchronousMode: true},
		workMem:  64,
		settings: merged(serverSettings, map[string]string{
			"vacuum_cost_limit": "1000", "track_activity_query_size": "32768",
			"idle_in_transaction_session_timeout": "1min",
		}),
		libraries: map[string]map[string]string{"pg_stat_statements": {"pg_stat_statements.track_utility": "on"}},
	},
	"tiny": {
		failover: Failover{MaximumLag: 1 << 20, StartTimeout: 10, StopTimeout: 30},
		workMem:  16,
		settings: map[string]string{
			"checkpoint_timeout": "15min", "checkpoint_completion_target": "0.80",
			"autovacuum_max_workers": "1", "default_statistics_target": "200",
			"idle_in_transaction_session_timeout": "10min",
		},
		libraries: map[string]map[string]string{
			"pg_stat_statements": {"pg_stat_statements.max": "3000"},
			"timescaledb":        {"timescaledb.max_background_workers": "4"},
		},
	},
}

// serverSettings are those of all templates for machines of their own.
var serverSettings = map[string]string{
	"max_wal_senders": "24", "max_replication_slots": "16",
	"max_logical_replication_workers": "8", "max_sync_workers_per_subscription": "6",
	"checkpoint_timeout": "60min", "checkpoint_completion_target": "0.95",
	"autovacuum_max_workers": "3", "autovacuum_vacuum_scale_factor": "0.08", "autovacuum_analyze_scale_factor": "0.04",
	"default_statistics_target": "1000",
}

func merged(tables ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, t := range tables {
		for name, value := range t {
			out[name] = value
		}
	}
	return out
}

// since is the first major version that has a parameter; 13 is the oldest served.
// vacuum_defer_cleanup_age, which v1.5 sets, is gone since 16 and in none of the tables:
// hot_standby_feedback does its work.
var since = map[string]int{"log_recovery_conflict_waits": 14}

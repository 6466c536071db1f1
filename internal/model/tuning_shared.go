package model

// commonSettings are those of all of v1.5's templates. What differs from v1.5 says why.
var commonSettings = map[string]string{
	"wal_level": "logical", "wal_log_hints": "on", "track_commit_timestamp": "on",
	"max_prepared_transactions": "0", "superuser_reserved_connections": "10",
	"huge_pages": "try",

	"vacuum_cost_delay": "20ms", "vacuum_cost_limit": "2000",
	"bgwriter_delay": "10ms", "bgwriter_lru_maxpages": "800", "bgwriter_lru_multiplier": "5.0",

	"wal_buffers": "16MB", "wal_writer_delay": "20ms", "wal_writer_flush_after": "1MB",
	"commit_delay": "20", "commit_siblings": "10",
	"archive_mode": "on",

	"hot_standby_feedback": "on", "max_standby_archive_delay": "10min", "max_standby_streaming_delay": "3min",
	"log_recovery_conflict_waits": "on",

	"random_page_cost": "1.1",

	// A week of files, each written over by the same day of the next week: v1.5's dated files
	// stay until the disk is full.
	"logging_collector": "on", "log_destination": "csvlog", "log_filename": "postgresql-%a.log",
	"log_rotation_age": "1d", "log_rotation_size": "0", "log_truncate_on_rotation": "on", "log_file_mode": "0640",
	"log_checkpoints": "on", "log_lock_waits": "on", "log_replication_commands": "on",
	"log_statement": "ddl", "log_min_duration_statement": "100", "log_autovacuum_min_duration": "1s",

	"track_io_timing": "on", "track_functions": "all", "track_activity_query_size": "8192",

	"autovacuum_naptime": "1min", "autovacuum_freeze_max_age": "1000000000",
	"deadlock_timeout": "50ms",
}

// librarySettings are set where the server loads the library they belong to.
var librarySettings = map[string]map[string]string{
	"auto_explain": {
		"auto_explain.log_min_duration": "1s", "auto_explain.log_analyze": "on", "auto_explain.log_verbose": "on",
		"auto_explain.log_timing": "on", "auto_explain.log_nested_statements": "on",
	},
	"pg_stat_statements": {
		"pg_stat_statements.max": "10000", "pg_stat_statements.track": "all",
		"pg_stat_statements.track_utility": "off", "pg_stat_statements.track_planning": "off",
	},
	"timescaledb": {"timescaledb.telemetry_level": "off", "timescaledb.max_background_workers": "16"},
	"citus":       {"citus.node_conninfo": "sslmode=prefer"},
}

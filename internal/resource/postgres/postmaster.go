package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"pigsty/internal/resource"
)

// postmasterParameters are those that take effect at a restart only (context postmaster in
// pg_settings) in PostgreSQL 15 to 18 and usual extensions, for when no server can be asked.
var postmasterParameters = strings.Fields(`
archive_mode autovacuum_freeze_max_age autovacuum_max_workers autovacuum_multixact_freeze_max_age
autovacuum_worker_slots bonjour bonjour_name cluster_name commit_timestamp_buffers config_file
cron.database_name data_directory data_sync_retry debug_io_direct dynamic_shared_memory_type event_source
external_pid_file hba_file hot_standby huge_page_size huge_pages ident_file ignore_invalid_pages
io_max_combine_limit io_max_concurrency io_method jit_provider listen_addresses logging_collector
max_active_replication_origins max_connections max_files_per_process max_locks_per_transaction
max_logical_replication_workers max_notify_queue_pages max_pred_locks_per_transaction
max_prepared_transactions max_replication_slots max_wal_senders max_worker_processes min_dynamic_shared_memory
multixact_member_buffers multixact_offset_buffers notify_buffers old_snapshot_threshold pg_stat_statements.max
port recovery_target recovery_target_action recovery_target_inclusive recovery_target_lsn recovery_target_name
recovery_target_time recovery_target_timeline recovery_target_xid reserved_connections serializable_buffers
shared_buffers shared_memory_type shared_preload_libraries subtransaction_buffers
superuser_reserved_connections timescaledb.max_background_workers trace_connection_negotiation
track_activity_query_size track_commit_timestamp transaction_buffers unix_socket_directories unix_socket_group
unix_socket_permissions wal_buffers wal_decode_buffer_size wal_level wal_log_hints`)

// standbyParameters must not be lower on a standby than on its primary, or the standby stops
// replaying (the manual's section on administering hot standby). Patroni starts a standby with
// the primary's value as long as that is the higher one, so lowering takes effect on the primary
// first. The numbers are Patroni's defaults, for a configuration without them.
var standbyParameters = map[string]int{
	"max_connections": 100, "max_locks_per_transaction": 64, "max_prepared_transactions": 0,
	"max_wal_senders": 10, "max_worker_processes": 8,
}

// restartParameters picks those that PostgreSQL only takes at a restart. A server that runs is
// asked; of what it does not know, or when it does not run, the table above decides.
func (c Conn) restartParameters(ctx context.Context, h *resource.Host, changed []resource.Field) []string {
	if len(changed) == 0 {
		return nil
	}
	contexts := map[string]string{}
	if s, err := c.session(ctx, h, maintenance); err == nil {
		var name, when string
		// What cannot be read now is left to the table.
		_ = s.forEach(ctx, "SELECT lower(name), context FROM pg_settings", nil, []any{&name, &when}, func() { contexts[name] = when })
	}
	var restart []string
	for _, f := range changed {
		name := strings.ToLower(f.Name)
		when, known := contexts[name]
		if when == "postmaster" || !known && slices.Contains(postmasterParameters, name) {
			restart = append(restart, f.Name)
		}
	}
	return restart
}

// onlyLowered tells whether standbyParameters change and none of them rises: the one case in
// which the primary goes first.
func onlyLowered(changed []resource.Field) bool {
	lowered := false
	for _, f := range changed {
		initial, matters := standbyParameters[strings.ToLower(f.Name)]
		if !matters {
			continue
		}
		before, after := numberOr(f.Before, initial), numberOr(f.After, initial)
		if after > before {
			return false
		}
		lowered = lowered || after < before
	}
	return lowered
}

func numberOr(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}

// restartEffect tells in which order members will restart, and why.
func restartEffect(parameters []string, lowered bool) string {
	order := "replicas first"
	if lowered {
		order = "the primary first"
	}
	return "PostgreSQL restarts on every member, " + order + ", for " + strings.Join(parameters, ", ")
}

package postgres

import (
	"context"
	"encoding/json"
	"time"

	"pigsty/internal/health"
	"pigsty/internal/resource"
)

// replicationPatience bounds the wait for a server that does not answer.
const replicationPatience = 2 * time.Second

// replicationQuery asks all at once, so that positions compare. A feeding server's own position is
// that up to which it may send: what it wrote, or what it received. Without a receiver the timeline
// is that of the last WAL that mattered.
const replicationQuery = `
WITH own AS (
	SELECT pg_is_in_recovery() AS recovery,
		CASE WHEN pg_is_in_recovery()
			THEN greatest(coalesce(pg_last_wal_receive_lsn(), '0/0'), coalesce(pg_last_wal_replay_lsn(), '0/0'))
			ELSE pg_current_wal_flush_lsn() END AS lsn
), receiver AS (SELECT * FROM pg_stat_wal_receiver WHERE pid IS NOT NULL)
SELECT json_build_object(
	'recovery', own.recovery,
	'position', (own.lsn - '0/0')::bigint,
	'timeline', CASE WHEN own.recovery
		THEN coalesce((SELECT nullif(received_tli, 0) FROM receiver), (SELECT greatest(min_recovery_end_timeline, timeline_id) FROM pg_control_recovery(), pg_control_checkpoint()))
		ELSE ('x' || left(pg_walfile_name(own.lsn), 8))::bit(32)::int END,
	'replayed', CASE WHEN own.recovery THEN (pg_last_wal_replay_lsn() - '0/0')::bigint ELSE 0 END,
	'age', CASE WHEN own.recovery THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END,
	'replay_paused', CASE WHEN own.recovery THEN pg_is_wal_replay_paused() ELSE false END,
	'delay', (SELECT setting::bigint FROM pg_settings WHERE name = 'recovery_min_apply_delay'),
	'synchronous', current_setting('synchronous_standby_names'),
	'receiver', (SELECT json_build_object('status', status, 'host', sender_host, 'port', sender_port, 'slot', coalesce(slot_name, '')) FROM receiver),
	'senders', (SELECT json_agg(json_build_object(
			'name', application_name, 'addr', coalesce(host(client_addr), ''), 'state', state, 'sync_state', sync_state,
			'behind', greatest(coalesce(own.lsn - replay_lsn, 0), 0)::bigint,
			'unsent', greatest(coalesce(own.lsn - flush_lsn, 0), 0)::bigint,
			'lag', extract(epoch FROM replay_lag)) ORDER BY application_name)
		FROM pg_stat_replication WHERE state <> 'backup')
)::text FROM own`

// Replication is the view of the server that listens there of who feeds it and whom it feeds.
func Replication(ctx context.Context, h *resource.Host, server health.Server) (*health.Replication, error) {
	ctx, cancel := context.WithTimeout(ctx, replicationPatience)
	defer cancel()
	s, err := Conn{Socket: server.Socket, Port: server.Port, User: server.User}.open(ctx, h, maintenance)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var text string
	if err := s.QueryRow(ctx, replicationQuery).Scan(&text); err != nil {
		return nil, problem("look at replication", err)
	}
	var r health.Replication
	return &r, json.Unmarshal([]byte(text), &r)
}

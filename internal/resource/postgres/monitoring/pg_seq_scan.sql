-- tables that are read from end to end, those first whose scans read the most rows
CREATE VIEW monitor.pg_seq_scan AS
SELECT schemaname AS nspname, relname, seq_scan, seq_tup_read,
       seq_tup_read / seq_scan AS seq_tup_avg,
       idx_scan,
       n_live_tup + n_dead_tup AS tuples,
       round(n_dead_tup::numeric / nullif(n_live_tup + n_dead_tup, 0), 4) AS dead_ratio
FROM pg_stat_user_tables
WHERE seq_scan > 0
ORDER BY seq_tup_read DESC
LIMIT 50;

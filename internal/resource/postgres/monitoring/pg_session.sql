-- client sessions by database and in all: how many do what, and the longest times in seconds
CREATE VIEW monitor.pg_session AS
SELECT coalesce(datname, 'all') AS datname,
       count(*) AS numbackends,
       count(*) FILTER (WHERE state = 'active') AS active,
       count(*) FILTER (WHERE state = 'idle') AS idle,
       count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS ixact,
       max(extract(epoch FROM clock_timestamp() - query_start)) FILTER (WHERE state = 'active') AS max_duration,
       max(extract(epoch FROM clock_timestamp() - xact_start)) AS max_tx_duration,
       max(extract(epoch FROM clock_timestamp() - backend_start)) AS max_conn_duration
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
GROUP BY GROUPING SETS ((datname), ());

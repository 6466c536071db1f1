-- pg_table_bloat to be read by people, most waste first
CREATE VIEW monitor.pg_table_bloat_human AS
SELECT nspname || '.' || relname AS name,
       pg_size_pretty(size) AS size,
       pg_size_pretty((size * ratio)::bigint) AS wasted,
       round(100 * ratio::numeric, 2) AS ratio
FROM monitor.pg_table_bloat
ORDER BY pg_table_bloat.size * pg_table_bloat.ratio DESC;

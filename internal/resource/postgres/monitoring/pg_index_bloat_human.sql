-- pg_index_bloat to be read by people, most waste first
CREATE VIEW monitor.pg_index_bloat_human AS
SELECT nspname || '.' || relname AS name,
       nspname || '.' || tblname AS tblname,
       pg_size_pretty(size) AS size,
       pg_size_pretty((size * ratio)::bigint) AS wasted,
       round(100 * ratio::numeric, 2) AS ratio
FROM monitor.pg_index_bloat
ORDER BY pg_index_bloat.size * pg_index_bloat.ratio DESC;

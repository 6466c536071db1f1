-- tables with their btree indexes: size, and how much of it is estimated to be waste, in bytes
CREATE VIEW monitor.pg_bloat AS
SELECT datname, nspname, tblname, tbl_size, tbl_wasted, idx_size, idx_wasted,
       (tbl_size + idx_size)::bigint AS size,
       (tbl_wasted + idx_wasted)::bigint AS wasted,
       (tbl_wasted + idx_wasted)::float8 / nullif(tbl_size + idx_size, 0) AS ratio
FROM (
    SELECT datname, nspname, tblname,
           sum(tbl_size)::bigint AS tbl_size, sum(tbl_wasted)::bigint AS tbl_wasted,
           sum(idx_size)::bigint AS idx_size, sum(idx_wasted)::bigint AS idx_wasted
    FROM (
        SELECT datname, nspname, relname AS tblname, size AS tbl_size, size * ratio AS tbl_wasted, 0 AS idx_size, 0 AS idx_wasted
        FROM monitor.pg_table_bloat
        UNION ALL
        SELECT datname, nspname, tblname, 0, 0, size, size * ratio
        FROM monitor.pg_index_bloat
    ) parts
    GROUP BY datname, nspname, tblname
) tables;

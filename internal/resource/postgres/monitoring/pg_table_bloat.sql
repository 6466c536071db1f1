-- tables: size in bytes, and the share of it that a rewrite would free, estimated from statistics
CREATE VIEW monitor.pg_table_bloat AS
WITH shape AS (
    -- Rows and pages as of the last VACUUM or ANALYZE, and how wide a row is without its header.
    -- A table without complete statistics is left out: nothing can be said of it.
    SELECT t.oid, n.nspname, t.relname, t.relpages, t.reltuples,
           current_setting('block_size')::int AS page,
           coalesce((SELECT option_value::int FROM pg_options_to_table(t.reloptions) WHERE option_name = 'fillfactor'), 100) AS fill,
           count(*) AS columns,
           coalesce(bool_or(s.stanullfrac > 0), false) AS nulls,
           coalesce(sum((1 - s.stanullfrac) * s.stawidth), 0) AS width
    FROM pg_class t
    JOIN pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_statistic s ON s.starelid = a.attrelid AND s.staattnum = a.attnum AND NOT s.stainherit
    WHERE t.relkind IN ('r', 'm') AND t.relpages > 0 AND t.reltuples > 0
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
    GROUP BY t.oid, n.nspname
    HAVING count(*) = count(s.starelid)
), packed AS (
    -- A page has a header of 24 bytes. A row has a line pointer of 4, a header of 23 with a bit
    -- for each column where there are nulls, and its data; header and data are each padded to 8.
    SELECT *, floor((page - 24) * fill / 100.0
              / (4 + ceil((23 + CASE WHEN nulls THEN ceil(columns / 8.0) ELSE 0 END) / 8.0) * 8 + ceil(width / 8.0) * 8)) AS rows_a_page
    FROM shape
)
SELECT current_database() AS datname, nspname, relname,
       relpages::bigint * page AS size,
       greatest(0, 1 - ceil(reltuples / greatest(rows_a_page, 1)) / relpages)::float8 AS ratio
FROM packed;

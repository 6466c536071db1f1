-- btree indexes: size in bytes, and the share of it that a REINDEX would free, estimated from statistics
CREATE VIEW monitor.pg_index_bloat AS
WITH shape AS (
    -- Entries and pages as of the last VACUUM or ANALYZE. A column's statistics are its table's,
    -- an expression's the index's own.
    SELECT i.oid, n.nspname, i.relname, t.relname AS tblname, i.relpages, i.reltuples,
           current_setting('block_size')::int AS page,
           coalesce((SELECT option_value::int FROM pg_options_to_table(i.reloptions) WHERE option_name = 'fillfactor'), 90) AS fill,
           coalesce(bool_or(s.stanullfrac > 0), false) AS nulls,
           coalesce(sum((1 - s.stanullfrac) * s.stawidth), 0) AS width
    FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_am m ON m.oid = i.relam AND m.amname = 'btree'
    JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_namespace n ON n.oid = i.relnamespace
    CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
    LEFT JOIN pg_statistic s ON NOT s.stainherit
         AND s.starelid = CASE WHEN k.attnum = 0 THEN x.indexrelid ELSE x.indrelid END
         AND s.staattnum = CASE WHEN k.attnum = 0 THEN k.place ELSE k.attnum END
    WHERE i.relkind = 'i' AND i.relpages > 0 AND i.reltuples > 0
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
    GROUP BY i.oid, n.nspname, t.relname
    HAVING count(*) = count(s.starelid)
), packed AS (
    -- A page has a header of 24 bytes and 16 of its own kind's. An entry has a line pointer of 4,
    -- a header of 8, or 16 where there are nulls, and its data, padded to 8. Since version 13
    -- equal keys share an entry: such an index counts as not bloated.
    SELECT *, floor((page - 40) * fill / 100.0 / (12 + CASE WHEN nulls THEN 8 ELSE 0 END + ceil(width / 8.0) * 8)) AS entries_a_page
    FROM shape
)
SELECT current_database() AS datname, nspname, relname, tblname,
       relpages::bigint * page AS size,
       greatest(0, 1 - (1 + ceil(reltuples / greatest(entries_a_page, 1))) / relpages)::float8 AS ratio
FROM packed;

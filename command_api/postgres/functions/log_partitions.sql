-- The attached partitions of the log, in order: from lower_position up to, but without, upper_position. Their bounds are
-- read from PostgreSQL itself, because partition_positions may have been changed since.
CREATE OR REPLACE FUNCTION catalogue.log_partitions()
RETURNS TABLE (partition_name text, lower_position bigint, upper_position bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT bounded.name, bounds[1]::bigint, bounds[2]::bigint
    FROM (
        SELECT part.relname::text AS name,
               regexp_match(pg_get_expr(part.relpartbound, part.oid), 'FROM \(''(\d+)''\) TO \(''(\d+)''\)') AS bounds
        FROM pg_inherits inherits JOIN pg_class part ON part.oid = inherits.inhrelid
        WHERE inherits.inhparent = 'catalogue.events'::regclass AND NOT inherits.inhdetachpending
    ) bounded
    ORDER BY 2
$$;

REVOKE ALL ON FUNCTION catalogue.log_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.log_partitions TO catalogue_writer, catalogue_log_reader;

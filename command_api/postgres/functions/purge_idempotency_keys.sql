-- Deletes expired answers, at most `rows_max` per call; returns how many.
CREATE OR REPLACE FUNCTION catalogue.purge_idempotency_keys(rows_max int) RETURNS int
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH expired AS (
        SELECT key FROM catalogue.idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT rows_max
    ), gone AS (
        DELETE FROM catalogue.idempotency_keys stored USING expired WHERE stored.key = expired.key RETURNING 1
    )
    SELECT count(*)::int FROM gone
$$;

REVOKE ALL ON FUNCTION catalogue.purge_idempotency_keys FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.purge_idempotency_keys TO catalogue_writer;

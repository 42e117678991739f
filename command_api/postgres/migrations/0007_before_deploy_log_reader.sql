-- Who reads the log (the projector, verify, replay) gets a role of its own: catalogue_reader was the role of the query
-- API as well, which needs no event. And nobody connects to this database but the roles that are named here.
DO $$
BEGIN
    -- The role that migrates may not create roles.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'catalogue_log_reader') THEN
        RAISE EXCEPTION 'the role catalogue_log_reader is missing; as superuser: '
            'CREATE ROLE catalogue_log_reader LOGIN PASSWORD ''...''; then migrate again';
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    -- catalogue_reader until no process of the last release reads the log with it: see the migration after the deploy.
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO catalogue_writer, catalogue_log_reader, catalogue_reader',
        current_database());
END
$$;

GRANT USAGE ON SCHEMA catalogue TO catalogue_log_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA catalogue TO catalogue_log_reader;
GRANT SELECT ON SEQUENCE catalogue.event_position TO catalogue_log_reader;
-- It has the answers that callers got.
REVOKE SELECT ON catalogue.idempotency_keys FROM catalogue_log_reader;

-- Makes sure that `ahead` empty partitions follow the newest position; returns how many it made. It creates partitions
-- as plain tables and attaches them: CREATE ... PARTITION OF would lock the log against appends.
CREATE OR REPLACE FUNCTION catalogue.ensure_partitions(ahead int DEFAULT 2) RETURNS int
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    size    bigint;
    reached bigint;
    lower_  bigint;
    name    text;
    made    int := 0;
BEGIN
    -- One maker at a time; not the append's lock, so that appends go on meanwhile.
    PERFORM pg_advisory_xact_lock(7281044, 2);
    SELECT partition_positions INTO size FROM catalogue.event_log;
    SELECT last_value INTO reached FROM catalogue.event_position;
    FOR number IN reached / size .. reached / size + ahead LOOP
        name := format('events_p%s', lpad(number::text, 6, '0'));
        CONTINUE WHEN to_regclass('catalogue.' || name) IS NOT NULL;
        lower_ := number * size;
        EXECUTE format('CREATE TABLE catalogue.%I (LIKE catalogue.events INCLUDING DEFAULTS,
            PRIMARY KEY (position), UNIQUE (product_id, stream_version),
            CHECK (position >= %s AND position < %s))', name, lower_, lower_ + size);
        EXECUTE format('ALTER TABLE catalogue.events ATTACH PARTITION catalogue.%I FOR VALUES FROM (%s) TO (%s)',
            name, lower_, lower_ + size);
        EXECUTE format('GRANT SELECT ON catalogue.%I TO catalogue_writer, catalogue_log_reader', name);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;

REVOKE ALL ON FUNCTION catalogue.ensure_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.ensure_partitions TO catalogue_writer;

-- The number of empty partitions after the newest position, for a metric and a readiness warning.
CREATE OR REPLACE FUNCTION catalogue.partitions_ahead() RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*)::int
    FROM catalogue.event_log log, catalogue.event_position reached, pg_inherits partition
    WHERE partition.inhparent = 'catalogue.events'::regclass
      AND substring(partition.inhrelid::regclass::text FROM 'events_p(\d+)')::bigint
          > reached.last_value / log.partition_positions
$$;

REVOKE ALL ON FUNCTION catalogue.partitions_ahead FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.partitions_ahead TO catalogue_writer, catalogue_log_reader;

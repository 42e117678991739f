-- Makes sure that `ahead` empty partitions follow the newest position; returns how many it made. A new one begins where
-- the last one ends, so that partition_positions may be changed at any time. It creates partitions as plain tables and
-- attaches them: CREATE ... PARTITION OF would lock the log against appends.
CREATE OR REPLACE FUNCTION catalogue.ensure_partitions(ahead int DEFAULT 2) RETURNS int
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    size    bigint;
    reached bigint;
    number_ bigint;
    lower_  bigint;
    ready   int;
    name    text;
    made    int := 0;
BEGIN
    -- One maker at a time; not the append's lock, so that appends go on meanwhile.
    PERFORM pg_advisory_xact_lock(7281044, 2);
    SELECT partition_positions INTO size FROM catalogue.event_log;
    SELECT last_value INTO reached FROM catalogue.event_position;
    SELECT max(substring(partition_name FROM 'events_p(\d+)')::bigint) + 1, max(upper_position),
           count(*) FILTER (WHERE lower_position > reached)
    INTO number_, lower_, ready
    FROM catalogue.log_partitions();
    IF lower_ IS NULL OR lower_ <= reached THEN
        -- The first one, or nothing holds the newest position: with the one that will hold it.
        lower_ := greatest(lower_, reached / size * size);
        number_ := greatest(number_, reached / size);
        ready := -1;
    END IF;
    WHILE ready < ahead LOOP
        name := format('events_p%s', lpad(number_::text, 6, '0'));
        EXECUTE format('CREATE TABLE catalogue.%I (LIKE catalogue.events INCLUDING DEFAULTS,
            PRIMARY KEY (position), UNIQUE (product_id, stream_version),
            CHECK (position >= %s AND position < %s))', name, lower_, lower_ + size);
        EXECUTE format('ALTER TABLE catalogue.events ATTACH PARTITION catalogue.%I FOR VALUES FROM (%s) TO (%s)',
            name, lower_, lower_ + size);
        EXECUTE format('GRANT SELECT ON catalogue.%I TO catalogue_writer, catalogue_log_reader', name);
        number_ := number_ + 1;
        lower_ := lower_ + size;
        ready := ready + 1;
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;

REVOKE ALL ON FUNCTION catalogue.ensure_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.ensure_partitions TO catalogue_writer;

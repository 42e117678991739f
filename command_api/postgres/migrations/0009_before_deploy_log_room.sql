-- How long the log has room: counted from the bounds that PostgreSQL knows, apart from making partitions, so that the number
-- falls also while none can be made. And partition_positions may be changed: a new partition begins where the last one ends.
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

-- The room of the log: how many empty partitions follow the newest position without a gap, and how many positions are
-- left until the end of the last of them.
CREATE OR REPLACE FUNCTION catalogue.log_room(OUT partitions_ahead int, OUT positions_left bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reached bigint;
    full_at bigint;
    part    record;
BEGIN
    SELECT last_value INTO reached FROM catalogue.event_position;
    full_at := reached + 1;
    partitions_ahead := 0;
    FOR part IN SELECT * FROM catalogue.log_partitions() WHERE upper_position > reached LOOP
        EXIT WHEN part.lower_position > full_at;
        full_at := part.upper_position;
        IF part.lower_position > reached THEN
            partitions_ahead := partitions_ahead + 1;
        END IF;
    END LOOP;
    positions_left := full_at - reached - 1;
END
$$;

REVOKE ALL ON FUNCTION catalogue.log_room FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.log_room TO catalogue_writer, catalogue_log_reader;

-- The number of empty partitions after the newest position.
CREATE OR REPLACE FUNCTION catalogue.partitions_ahead() RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT partitions_ahead FROM catalogue.log_room()
$$;

REVOKE ALL ON FUNCTION catalogue.partitions_ahead FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.partitions_ahead TO catalogue_writer, catalogue_log_reader;

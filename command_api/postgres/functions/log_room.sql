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

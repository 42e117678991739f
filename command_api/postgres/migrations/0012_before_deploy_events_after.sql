-- Projectors keep the plan of their reads, too: with many partitions, planning took most of the time of a gap that is filled.

-- The events of some products above a version of each, in the order of each stream. The stream row bounds the positions, so that
-- only the partitions that can hold these events are read. A product that is gone with a removed partition has what is left of it.
--
-- One query for each product, with a plan that is kept, as in `load_streams`: a projector asks for the events that it lacks, and for
-- those of a product about which it sends a mail, and would wait for a plan over all partitions of the log each time.
CREATE OR REPLACE FUNCTION catalogue.events_after(product_ids uuid[], held_versions int[])
RETURNS TABLE (log_position bigint, product_id uuid, stream_version int, event_type text, schema_version smallint,
               data bytea, metadata bytea, recorded_at timestamptz)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    stream record;
BEGIN
    FOR stream IN
        SELECT wanted.product_id, wanted.held_version, coalesce(found.first_position, 0) AS lowest,
               coalesce(found.last_position, 9223372036854775807) AS highest
        FROM unnest(events_after.product_ids, events_after.held_versions) AS wanted(product_id, held_version)
        LEFT JOIN catalogue.streams found ON found.product_id = wanted.product_id
    LOOP
        RETURN QUERY
        SELECT event.position, event.product_id, event.stream_version, event.event_type, event.schema_version,
               event.data, event.metadata, event.recorded_at
        FROM catalogue.events event
        WHERE event.product_id = stream.product_id
          AND event.stream_version > stream.held_version
          AND event.position BETWEEN stream.lowest AND stream.highest
        ORDER BY event.stream_version;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION catalogue.events_after FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.events_after TO catalogue_log_reader;

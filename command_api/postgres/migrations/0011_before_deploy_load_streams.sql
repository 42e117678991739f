-- Loads keep their plan: with many partitions, planning took most of the time of a load.

-- The streams of some products, each in order: whole, or from a known event on, which comes first. The stream row and the
-- known position bound the positions, so that only the partitions that can hold these events are read. A product with
-- events in a removed partition was deleted: it has no stream, whatever is left of it.
--
-- One query for each product, with a plan that is kept: as one query over all products it was planned anew at each call, over
-- all partitions of the log, which took most of the time of a load from some dozens of partitions on.
CREATE OR REPLACE FUNCTION catalogue.load_streams(product_ids uuid[], known_versions int[], known_positions bigint[])
RETURNS TABLE (product_id uuid, known_version int, last_position bigint, stream_version int, metadata bytea,
               event_type text, schema_version smallint, data bytea)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    stream record;
BEGIN
    FOR stream IN
        SELECT wanted.product_id, wanted.known_version, found.last_position,
               greatest(found.first_position, wanted.known_position) AS lowest
        FROM unnest(load_streams.product_ids, load_streams.known_versions, load_streams.known_positions)
             AS wanted(product_id, known_version, known_position)
        JOIN catalogue.streams found ON found.product_id = wanted.product_id
        WHERE NOT EXISTS (SELECT FROM catalogue.gone_streams gone WHERE gone.product_id = wanted.product_id)
    LOOP
        RETURN QUERY
        SELECT stream.product_id, stream.known_version, stream.last_position, event.stream_version, event.metadata,
               event.event_type, event.schema_version, event.data
        FROM catalogue.events event
        WHERE event.product_id = stream.product_id
          AND event.stream_version >= stream.known_version
          AND event.position BETWEEN stream.lowest AND stream.last_position
        ORDER BY event.stream_version;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION catalogue.load_streams FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.load_streams TO catalogue_writer;

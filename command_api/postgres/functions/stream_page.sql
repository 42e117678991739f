-- Events of one product above a version, in the order of the stream, until events or bytes reach a limit; at least one where there
-- is one. The stream row bounds the positions, so that only the partitions that can hold these events are read. The plan is kept, as
-- in `events_after`: a reader of one version must not wait for a plan over all partitions of the log.
CREATE OR REPLACE FUNCTION catalogue.stream_page(
    of_product uuid, above_version int, up_to_version int, events_max int, bytes_max bigint
)
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
    SELECT found.first_position AS lowest, found.last_position AS highest INTO stream
    FROM catalogue.streams found WHERE found.product_id = stream_page.of_product;
    RETURN QUERY
    SELECT page.position, page.product_id, page.stream_version, page.event_type, page.schema_version,
           page.data, page.metadata, page.recorded_at
    FROM (
        SELECT event.*, sum(length(event.data)) OVER (ORDER BY event.stream_version) - length(event.data) AS bytes_before
        FROM catalogue.events event
        WHERE event.product_id = stream_page.of_product
          AND event.stream_version > stream_page.above_version
          AND event.stream_version <= stream_page.up_to_version
          AND event.position BETWEEN stream.lowest AND stream.highest
        ORDER BY event.stream_version
        LIMIT stream_page.events_max
    ) page
    WHERE page.bytes_before < stream_page.bytes_max
    ORDER BY page.stream_version;
END
$$;

REVOKE ALL ON FUNCTION catalogue.stream_page FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.stream_page TO catalogue_log_reader;

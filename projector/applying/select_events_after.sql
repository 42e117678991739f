-- All events of some products above a version, in stream order. The stream's positions bound the partitions
-- that are read.
-- $1 product ids, $2 the version of each that the view has
SELECT event.position, event.product_id, event.stream_version, event.event_type, event.schema_version,
       event.data, event.metadata, event.recorded_at
FROM unnest($1::uuid[], $2::int[]) AS wanted(product_id, held_version)
LEFT JOIN catalogue.streams AS stream USING (product_id)
CROSS JOIN LATERAL (
    SELECT *
    FROM catalogue.events AS one
    WHERE one.product_id = wanted.product_id AND one.stream_version > wanted.held_version
      AND one.position >= coalesce(stream.first_position, 0)
) AS event
ORDER BY event.product_id, event.stream_version

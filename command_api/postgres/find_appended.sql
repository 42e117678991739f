-- Which of these (product, stream version) are in the log, with their event ids.
SELECT wanted.product_id, wanted.stream_version, event.position, event.metadata
FROM unnest($1::uuid[], $2::int[]) AS wanted(product_id, stream_version)
JOIN catalogue.streams stream ON stream.product_id = wanted.product_id
CROSS JOIN LATERAL (
    SELECT position, metadata FROM catalogue.events
    WHERE events.product_id = wanted.product_id AND events.stream_version = wanted.stream_version
      AND events.position BETWEEN stream.first_position AND stream.last_position
) event

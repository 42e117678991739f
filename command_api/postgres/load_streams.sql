-- The whole streams of some products, each in order. The stream row bounds the positions, so that only the
-- partitions that can hold the product's events are read.
SELECT stream.product_id, stream.last_position, event.stream_version, event.event_type, event.schema_version, event.data
FROM unnest($1::uuid[]) AS wanted(product_id)
JOIN catalogue.streams stream ON stream.product_id = wanted.product_id
CROSS JOIN LATERAL (
    SELECT stream_version, event_type, schema_version, data FROM catalogue.events
    WHERE events.product_id = stream.product_id
      AND events.position BETWEEN stream.first_position AND stream.last_position
    ORDER BY events.stream_version
) event

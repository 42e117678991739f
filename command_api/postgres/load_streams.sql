-- The streams of some products, each in order: whole, or from a known event on, which comes first. The stream row and the
-- known position bound the positions, so that only the partitions that can hold these events are read. A product with
-- events in a removed partition was deleted: it has no stream, whatever is left of it.
SELECT wanted.product_id, wanted.known_version, stream.last_position, event.stream_version, event.metadata,
       event.event_type, event.schema_version, event.data
FROM unnest($1::uuid[], $2::int[], $3::bigint[]) AS wanted(product_id, known_version, known_position)
JOIN catalogue.streams stream ON stream.product_id = wanted.product_id
CROSS JOIN LATERAL (
    SELECT stream_version, metadata, event_type, schema_version, data FROM catalogue.events
    WHERE events.product_id = stream.product_id
      AND events.stream_version >= wanted.known_version
      AND events.position BETWEEN GREATEST(stream.first_position, wanted.known_position) AND stream.last_position
    ORDER BY events.stream_version
) event
WHERE NOT EXISTS (SELECT FROM catalogue.gone_streams gone WHERE gone.product_id = wanted.product_id)

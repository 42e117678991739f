"""Reads of products' events as they were once, for comparison alone.

They were planned at each call, over all partitions of the log, because their bounds come from a join.
"""

FORMER_LOAD = """
SELECT wanted.product_id, wanted.known_version, stream.last_position, event.stream_version, event.metadata,
       event.event_type, event.schema_version, event.data
FROM unnest($1::uuid[], $2::int[], $3::bigint[]) AS wanted(product_id, known_version, known_position)
JOIN catalogue.streams stream ON stream.product_id = wanted.product_id
CROSS JOIN LATERAL (
    SELECT stream_version, metadata, event_type, schema_version, data FROM catalogue.events
    WHERE events.product_id = stream.product_id
      AND events.stream_version >= wanted.known_version
      AND events.position
          BETWEEN GREATEST(stream.first_position, wanted.known_position) AND stream.last_position
    ORDER BY events.stream_version
) event
WHERE NOT EXISTS (SELECT FROM catalogue.gone_streams gone WHERE gone.product_id = wanted.product_id)
"""
FORMER_EVENTS_AFTER = """
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
"""

-- As read_replay, but only of the products $6. Each is found by an index: few products of a large log are few rows.
-- The stream row bounds the positions, so that PostgreSQL reads only partitions that can hold a product's events.
SELECT position, product_id, stream_version, event_type, schema_version, data, metadata, recorded_at
FROM (
    SELECT *, sum(octet_length(data)) OVER (ORDER BY position) - octet_length(data) AS bytes_before
    FROM (
        SELECT event.* FROM catalogue.streams stream
        CROSS JOIN LATERAL (
            SELECT * FROM catalogue.events
            WHERE events.product_id = stream.product_id
              AND events.position BETWEEN greatest(stream.first_position, $1::bigint + 1) AND least(stream.last_position, $2)
              AND ($3::text[] IS NULL OR event_type = ANY ($3))
            ORDER BY events.stream_version LIMIT $4
        ) event
        WHERE stream.product_id = ANY ($6::uuid[])
        ORDER BY position LIMIT $4
    ) AS stretch
) AS measured
WHERE bytes_before < $5
ORDER BY position

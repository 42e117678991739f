-- The next events after position $1 up to $2, of the event types $3 (NULL: all): at most $4, cut after the event
-- with which the data exceeds $5 bytes, so that the first one is always returned, however large.
SELECT position, product_id, stream_version, event_type, schema_version, data, metadata, recorded_at
FROM (
    SELECT *, sum(octet_length(data)) OVER (ORDER BY position) - octet_length(data) AS bytes_before
    FROM (
        SELECT * FROM catalogue.events
        WHERE position > $1 AND position <= $2 AND ($3::text[] IS NULL OR event_type = ANY ($3))
        ORDER BY position LIMIT $4
    ) AS stretch
) AS measured
WHERE bytes_before < $5
ORDER BY position

-- Of the next $2 events after position $1 those of the types $3 that were recorded from $4 on and before $5 (NULL: all): at most $6,
-- cut after the event with which the data exceeds $7 bytes. Each row says how far was looked, and how many match; at least one row.
-- The data of the others are not read. OFFSET 0: each matching event is found by its position, whatever the planner guesses.
WITH stretch AS MATERIALIZED (
    SELECT position, event_type, recorded_at, octet_length(data) AS size
    FROM catalogue.events WHERE position > $1 ORDER BY position LIMIT $2
),
matching AS MATERIALIZED (
    SELECT position, sum(size) OVER (ORDER BY position) - size AS bytes_before
    FROM stretch
    WHERE ($3::text[] IS NULL OR event_type = ANY ($3))
      AND ($4::timestamptz IS NULL OR recorded_at >= $4)
      AND ($5::timestamptz IS NULL OR recorded_at < $5)
    ORDER BY position LIMIT $6
),
looked AS (
    SELECT (SELECT coalesce(max(position), $1::bigint) FROM stretch) AS looked_position,
           (SELECT count(*) FROM stretch) AS looked_count,
           (SELECT count(*) FROM matching) AS matching_count
)
SELECT looked.looked_position, looked.looked_count, looked.matching_count, found.*
FROM looked
LEFT JOIN (
    SELECT event.position AS log_position, event.product_id, event.stream_version, event.event_type, event.schema_version,
           event.data, event.metadata, event.recorded_at
    FROM matching
    CROSS JOIN LATERAL (SELECT * FROM catalogue.events WHERE events.position = matching.position OFFSET 0) AS event
    WHERE matching.bytes_before < $7
) AS found ON true
ORDER BY found.log_position

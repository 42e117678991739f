-- The log after a position, in order, at most so many events up to a position.
-- $1 after this position, $2 up to this one, $3 how many at most
SELECT position, product_id, stream_version, event_type, schema_version, data, metadata, recorded_at
FROM catalogue.events
WHERE position > $1 AND position <= $2
ORDER BY position
LIMIT $3

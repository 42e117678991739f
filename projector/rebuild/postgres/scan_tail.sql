-- The log after one position and up to another, in order; not more than a number of events.
-- $1 after this position, $2 up to this one, $3 how many at most
SELECT position, product_id, stream_version, event_type, schema_version, data, metadata, recorded_at
FROM catalogue.events
WHERE position > $1 AND position <= $2
ORDER BY position
LIMIT $3

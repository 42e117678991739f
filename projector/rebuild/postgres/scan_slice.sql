-- A stretch of the log, in order: the events of those products whose id falls into one slice of several.
-- $1 after this position, $2 up to this one, $3 number of slices, $4 which slice, from 0
SELECT position, uuid_send(product_id), stream_version, event_type, schema_version, data, recorded_at
FROM catalogue.events
WHERE position > $1 AND position <= $2 AND (uuid_hash(product_id) & 65535) % $3 = $4
ORDER BY position

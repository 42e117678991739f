-- The event at position $1 of the log.
SELECT position, product_id, stream_version, event_type, schema_version, data, metadata, recorded_at
FROM catalogue.events
WHERE position = $1

-- The streams of some products, whole or from a known event on: functions/load_streams.sql.
SELECT product_id, known_version, last_position, stream_version, metadata, event_type, schema_version, data
FROM catalogue.load_streams($1, $2, $3)

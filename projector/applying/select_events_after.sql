-- All events of some products above a version, in stream order.
-- $1 product ids, $2 the version of each that the view has
SELECT log_position AS position, product_id, stream_version, event_type, schema_version, data, metadata, recorded_at
FROM catalogue.events_after($1, $2)

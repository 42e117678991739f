-- All events of some products, stream by stream.
-- $1 products
SELECT position, uuid_send(product_id), stream_version, event_type, schema_version, data, recorded_at
FROM catalogue.events
WHERE product_id = ANY ($1::uuid[])
ORDER BY product_id, stream_version, position

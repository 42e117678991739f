-- The dead letters of one product, in stream order; the product's row is locked already.
-- $1 projection, $2 product id
SELECT parked_event_id, product_id, stream_version, event_id, error_class, topic, partition, record_offset,
       record_timestamp, key, value, header_names, header_values
FROM views.parked_event
WHERE projection = $1 AND product_id = $2
ORDER BY stream_version, parked_event_id

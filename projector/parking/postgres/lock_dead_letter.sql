-- One dead letter, locked until the transaction ends.
-- $1 projection, $2 its id
SELECT parked_event_id, product_id, stream_version, event_id, error_class, topic, partition, record_offset,
       record_timestamp, key, value, header_names, header_values
FROM views.parked_event
WHERE projection = $1 AND parked_event_id = $2
FOR UPDATE

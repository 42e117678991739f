-- Dead letters with all their columns, in stream order, and how many there are.
-- $1 projection, $2 product id, $3 id of the dead letter (each NULL: any), $4 how many at most
SELECT parked_event_id, projection, product_id, topic, partition, record_offset, record_timestamp, key, value,
       header_names, header_values, log_position, stream_version, event_id, event_type, correlation_id, error_class,
       cause, parked_at, copied_at, (count(*) OVER ())::int AS total
FROM views.parked_event
WHERE ($1::text IS NULL OR projection = $1)
  AND ($2::uuid IS NULL OR product_id = $2)
  AND ($3::bigint IS NULL OR parked_event_id = $3)
ORDER BY projection, product_id, stream_version, parked_event_id
LIMIT $4::int

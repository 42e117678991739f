-- Dead letters that are not in the dead-letter topic yet, in the order of parking; another process skips them.
-- A dead letter that was never in Kafka has the partition -1.
-- $1 projections, $2 how many at most
SELECT event.parked_event_id, event.projection, event.topic, event.partition, event.record_offset,
       event.record_timestamp, event.key, event.value, event.header_names, event.header_values, event.error_class,
       event.cause
FROM views.parked_event AS event
WHERE event.projection = ANY ($1::text[]) AND event.copied_at IS NULL AND event.partition >= 0
ORDER BY event.parked_event_id
LIMIT $2::int
FOR UPDATE SKIP LOCKED

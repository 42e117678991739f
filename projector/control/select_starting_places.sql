-- Where a consumer is to begin.
-- $1 projection, $2 topic, $3 partitions
SELECT partition, next_offset, log_position, log_id
FROM views.starting_place
WHERE projection = $1 AND topic = $2 AND partition = ANY ($3::int[])

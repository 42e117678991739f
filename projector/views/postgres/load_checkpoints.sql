-- How far a projection is in the given partitions of a topic.
-- $1 projection, $2 topic, $3 partitions
SELECT partition, next_offset, log_position, log_id
FROM views.projection_checkpoint
WHERE projection = $1 AND topic = $2 AND partition = ANY ($3::int[])

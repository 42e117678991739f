-- Every checkpoint, for `status`.
-- $1 topic
SELECT projection, partition, next_offset, log_position, log_id, updated_at
FROM views.projection_checkpoint
WHERE topic = $1
ORDER BY projection, partition

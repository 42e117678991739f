-- Locks the live view's checkpoints: its batches wait until this transaction ends.
-- $1 projection, $2 topic
SELECT partition, next_offset, log_position, log_id
FROM views.projection_checkpoint
WHERE projection = $1 AND topic = $2
ORDER BY partition
FOR UPDATE

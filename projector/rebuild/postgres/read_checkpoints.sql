-- How far the live view is in every partition.
-- $1 projection, $2 topic
SELECT partition, log_position, next_offset FROM views.projection_checkpoint WHERE projection = $1 AND topic = $2

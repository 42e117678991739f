-- The checkpoint of a projection in each partition of one topic.
-- $1 projection, $2 topic
SELECT partition, log_position
FROM views.projection_checkpoint
WHERE projection = $1
  AND topic = $2

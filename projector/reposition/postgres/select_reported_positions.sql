-- How far the consumers of a projection have reported to be, by partition; 0 without an event.
-- $1 projection, $2 topic
SELECT partition, log_position FROM views.projection_lag WHERE projection = $1 AND topic = $2

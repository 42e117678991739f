-- The log positions up to which a projection has applied each partition, by its checkpoints and by what its consumers
-- have reported; 0 without an event.
-- $1 projection, $2 topic
SELECT partition, max(log_position) AS log_position
FROM (
    SELECT partition, log_position FROM views.projection_checkpoint WHERE projection = $1 AND topic = $2
    UNION ALL
    SELECT partition, log_position FROM views.projection_lag WHERE projection = $1 AND topic = $2
) AS known
GROUP BY partition

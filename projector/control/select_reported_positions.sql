-- The log positions up to which a projection has applied each partition, by its checkpoints and by what its consumers
-- have reported; 0 without an event. What belongs to another log says nothing.
-- $1 projection, $2 topic, $3 log id
SELECT partition, max(log_position) AS log_position
FROM (
    SELECT partition, log_position FROM views.projection_checkpoint
    WHERE projection = $1 AND topic = $2 AND log_id = $3
    UNION ALL
    SELECT partition, log_position FROM views.projection_lag
    WHERE projection = $1 AND topic = $2 AND (log_id = $3 OR log_id IS NULL)
) AS known
GROUP BY partition

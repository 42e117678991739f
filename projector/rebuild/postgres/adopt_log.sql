-- After a switch: checkpoints that do not exist, or belong to another log, are those of the log that the view was made
-- from. All records of the topic are read again, and dropped by their versions, unless `reposition` places the view.
-- $1 projection, $2 topic, $3 number of partitions, $4 log position, $5 log id
INSERT INTO views.projection_checkpoint AS held (projection, topic, partition, next_offset, log_position, log_id)
SELECT $1, $2, partition, 0, $4, $5
FROM generate_series(0, $3::int - 1) AS partition
ON CONFLICT (projection, topic, partition) DO UPDATE
SET next_offset = 0, log_position = EXCLUDED.log_position, log_id = EXCLUDED.log_id, updated_at = clock_timestamp()
WHERE held.log_id <> EXCLUDED.log_id

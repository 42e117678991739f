-- A projection without checkpoints has applied the log up to this position.
-- $1 projection, $2 topic, $3 partitions, $4 log position, $5 log id
INSERT INTO views.projection_lag AS lag (
    projection, topic, partition, log_position, next_offset, lag_events, lag_seconds, measured_at, log_id
)
SELECT $1, $2, partition, $4, 0, 0, 0, 'epoch', $5 FROM unnest($3::int[]) AS partition
ON CONFLICT (projection, topic, partition) DO UPDATE
SET log_position = CASE WHEN lag.log_id <> EXCLUDED.log_id THEN EXCLUDED.log_position
                        ELSE greatest(lag.log_position, EXCLUDED.log_position) END,
    log_id = EXCLUDED.log_id

-- Each partition of each projection: its checkpoint, and the state that its consumer reported, for `status`.
-- $1 topic, $2 greatest age in seconds of a report that still counts
SELECT projection, partition, checkpoint.next_offset, checkpoint.log_id, checkpoint.updated_at,
       greatest(checkpoint.log_position, lag.log_position) AS log_position,
       lag.next_offset AS measured_next_offset, lag.lag_events, lag.trouble, lag.measured_at,
       coalesce(lag.measured_at > clock_timestamp() - make_interval(secs => $2::float8), false) AS is_fresh
FROM (SELECT * FROM views.projection_checkpoint WHERE topic = $1) AS checkpoint
FULL JOIN (SELECT * FROM views.projection_lag WHERE topic = $1) AS lag USING (projection, partition)
ORDER BY projection, partition

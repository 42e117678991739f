-- The state of each projection on the topic of all events: checkpoint, lag, what holds it up, dead letters. The process
-- that reads a partition writes its lag report once a second; an old report says nothing about now.
-- $1 topic, $2 age in seconds up to which a lag report counts
WITH checkpoint AS (
    SELECT projection, max(log_position) AS log_position, max(updated_at) AS updated_at
    FROM views.projection_checkpoint
    WHERE topic = $1
    GROUP BY projection
), measured AS (
    SELECT *, measured_at > clock_timestamp() - make_interval(secs => $2::float8) AS is_fresh
    FROM views.projection_lag
    WHERE topic = $1
), lag AS (
    SELECT projection, max(log_position) AS log_position, count(*) FILTER (WHERE is_fresh)::int AS partitions_measured,
           sum(next_offset)::bigint AS records_passed, sum(lag_events)::bigint AS lag_events,
           max(lag_seconds) AS lag_seconds, min(measured_at) AS measured_at,
           count(*) FILTER (WHERE is_fresh AND trouble IS NOT NULL)::int AS partitions_in_trouble,
           count(*) FILTER (WHERE is_fresh AND trouble LIKE 'stopped:%')::int AS partitions_stopped
    FROM measured
    GROUP BY projection
), parked AS (
    SELECT projection, sum(products)::bigint AS products, sum(events)::bigint AS events
    FROM (
        SELECT projection, count(*) AS products, sum(events) AS events FROM views.parked_product GROUP BY projection
        UNION ALL
        SELECT projection, 0, count(*) FROM views.parked_event WHERE product_id IS NULL GROUP BY projection
    ) AS of_both_kinds
    GROUP BY projection
)
SELECT projection, greatest(checkpoint.log_position, lag.log_position, 0) AS log_position, checkpoint.updated_at,
       coalesce(lag.partitions_measured, 0) AS partitions_measured, lag.lag_events, lag.lag_seconds, lag.measured_at,
       coalesce(lag.partitions_in_trouble, 0) AS partitions_in_trouble,
       coalesce(lag.partitions_stopped, 0) AS partitions_stopped,
       coalesce(control.is_paused, false) AS is_paused,
       coalesce(parked.products, 0) AS parked_products, coalesce(parked.events, 0) AS parked_events, lag.records_passed,
       extract(epoch FROM clock_timestamp() - lag.measured_at)::float8 AS reported_seconds_ago
FROM checkpoint
FULL JOIN lag USING (projection)
FULL JOIN parked USING (projection)
FULL JOIN views.projection_control AS control USING (projection)
ORDER BY projection

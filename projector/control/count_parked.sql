-- The dead letters of each projection, and of how many products they are; for metrics and status.
SELECT projection, count(DISTINCT product_id)::int AS products, count(*)::int AS events,
       extract(epoch FROM clock_timestamp() - min(parked_at))::float8 AS oldest_seconds
FROM views.parked_event
GROUP BY projection

-- How many states of some partitions wait to be published, and since when.
-- $1 partitions
SELECT partition, count(*)::int AS states,
       extract(epoch FROM clock_timestamp() - min(saved_at))::float8 AS oldest_seconds
FROM views.product_state
WHERE partition = ANY ($1::int[]) AND published_version < stream_version
GROUP BY partition

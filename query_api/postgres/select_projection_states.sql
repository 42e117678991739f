-- How far each projection is over all its topics and partitions.
SELECT projection, max(log_position) AS log_position, count(*)::int AS partition_count, max(updated_at) AS updated_at
FROM views.projection_checkpoint
GROUP BY projection
ORDER BY projection

-- The first removed partition of the log with positions after $1 up to $2.
SELECT partition_name, lower_position, upper_position - 1 AS last_position
FROM catalogue.archived_partitions
WHERE removing_at IS NOT NULL AND upper_position - 1 > $1 AND lower_position <= $2
ORDER BY lower_position LIMIT 1

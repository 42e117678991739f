-- Attached partitions that get no event any more: all their positions are used, and the relay has passed them.
SELECT part.partition_name, part.lower_position, part.upper_position, stored.sha256, stored.events
FROM catalogue.log_partitions() part
LEFT JOIN catalogue.archived_partitions stored USING (partition_name)
WHERE part.upper_position - 1 <= (SELECT last_value FROM catalogue.event_position)
  AND part.upper_position - 1 <= (SELECT coalesce(max(log_position), 0) FROM catalogue.relay_cursor)
ORDER BY part.lower_position

-- What is known of an archived partition.
SELECT partition_name, lower_position, upper_position, events, sha256, removed_at
FROM catalogue.archived_partitions WHERE partition_name = $1

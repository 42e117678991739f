-- Where the consumer of a group begins when it starts anew.
-- $1 projection, $2 topic, then one element a partition: $3 partitions, $4 next offsets; $5 log position, $6 log id
INSERT INTO views.starting_place (projection, topic, partition, next_offset, log_position, log_id)
SELECT $1, $2, partition, next_offset, $5, $6
FROM unnest($3::int[], $4::bigint[]) AS place(partition, next_offset)
ON CONFLICT (projection, topic, partition) DO UPDATE
SET next_offset = EXCLUDED.next_offset, log_position = EXCLUDED.log_position, log_id = EXCLUDED.log_id,
    ordered_at = clock_timestamp()

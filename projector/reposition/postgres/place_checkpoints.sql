-- Places a view's checkpoints. Consumers that were slower are fenced. Returns how many were placed: fewer than given if
-- one belongs to another log.
-- $1 projection, $2 topic, then one element a partition: $3 partitions, $4 next offsets; $5 log position, $6 log id
WITH placed AS (
    INSERT INTO views.projection_checkpoint AS held (projection, topic, partition, next_offset, log_position, log_id)
    SELECT $1, $2, partition, next_offset, $5, $6
    FROM unnest($3::int[], $4::bigint[]) AS place(partition, next_offset)
    ORDER BY partition
    ON CONFLICT (projection, topic, partition) DO UPDATE
    SET next_offset = EXCLUDED.next_offset, log_position = greatest(held.log_position, EXCLUDED.log_position),
        updated_at = clock_timestamp()
    WHERE held.log_id = EXCLUDED.log_id
    RETURNING partition
)
SELECT count(*)::int FROM placed

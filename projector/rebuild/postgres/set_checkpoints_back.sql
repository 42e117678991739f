-- Sets checkpoints back to earlier ones and deletes newer partitions' ones. This fences running consumers.
-- $1 projection, $2 topic, then one element a partition: $3 partitions, $4 next offsets, $5 log positions, $6 log ids
WITH former AS (
    SELECT *
    FROM unnest($3::int[], $4::bigint[], $5::bigint[], $6::uuid[])
        AS old(partition, next_offset, log_position, log_id)
), gone AS (
    DELETE FROM views.projection_checkpoint
    WHERE projection = $1 AND topic = $2 AND partition <> ALL ($3::int[])
)
UPDATE views.projection_checkpoint AS checkpoint
SET next_offset = former.next_offset, log_position = former.log_position, log_id = former.log_id,
    updated_at = clock_timestamp()
FROM former
WHERE checkpoint.projection = $1 AND checkpoint.topic = $2 AND checkpoint.partition = former.partition

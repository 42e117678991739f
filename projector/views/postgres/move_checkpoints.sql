-- Compare and set the checkpoints of a batch, before anything else: the row locks queue a replaced process
-- behind its successor, whose compare then fails. Returns how many moved; fewer than given: fenced.
-- $1 projection, $2 topic, $3 partitions, $4 next offset as last seen (NULL: none was there), $5 next offset,
-- $6 log position, $7 log id
WITH moves AS (
    SELECT *
    FROM unnest($3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::uuid[])
        AS move(partition, expected_offset, next_offset, log_position, log_id)
), moved AS (
    UPDATE views.projection_checkpoint AS checkpoint
    SET next_offset = moves.next_offset,
        log_position = greatest(checkpoint.log_position, moves.log_position),
        updated_at = clock_timestamp()
    FROM moves
    WHERE checkpoint.projection = $1 AND checkpoint.topic = $2 AND checkpoint.partition = moves.partition
      AND checkpoint.next_offset = moves.expected_offset AND checkpoint.log_id = moves.log_id
    RETURNING checkpoint.partition
), made AS (
    INSERT INTO views.projection_checkpoint (projection, topic, partition, next_offset, log_position, log_id)
    SELECT $1, $2, partition, next_offset, log_position, log_id
    FROM moves
    WHERE expected_offset IS NULL
    ON CONFLICT DO NOTHING
    RETURNING partition
)
SELECT (SELECT count(*) FROM moved) + (SELECT count(*) FROM made)

-- Apply an ordinary batch in one statement: move the checkpoints, and write the rows of one view. An error, and nothing is
-- written, unless every checkpoint and every product was as read.
-- $1 to $7 as in move_checkpoints.sql, $8 the tables that were read, $9 versions as read (0: none), $10 product ids, and
-- what the view's own part has from there on
WITH moves AS (
    SELECT *
    FROM unnest($3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::uuid[])
        AS move(partition, expected_offset, next_offset, log_position, log_id)
), free AS (
    SELECT partition
    FROM views.projection_checkpoint
    WHERE projection = $1 AND topic = $2 AND partition = ANY ($3::int[])
    -- Without waiting: a rebuild's switch locks the checkpoints and then the tables, which are locked here already.
    FOR NO KEY UPDATE SKIP LOCKED
), moved AS (
    UPDATE views.projection_checkpoint AS checkpoint
    SET next_offset = moves.next_offset,
        log_position = greatest(checkpoint.log_position, moves.log_position),
        updated_at = clock_timestamp()
    FROM moves JOIN free USING (partition)
    WHERE checkpoint.projection = $1 AND checkpoint.topic = $2 AND checkpoint.partition = moves.partition
      AND checkpoint.next_offset = moves.expected_offset AND checkpoint.log_id = moves.log_id
    RETURNING checkpoint.partition
),
-- the view's apply_at_once.sql stands here
as_read AS (
    SELECT FROM written
    JOIN unnest($10::uuid[], $9::int[]) AS read(product_id, stream_version) USING (product_id)
    WHERE written.old_version = read.stream_version AND written.table_oid = ANY ($8::oid[])
)
SELECT CASE
    WHEN moved.number = cardinality($3::int[]) AND as_read.number = cardinality($10::uuid[]) THEN 0
    -- An error, because it rolls all of the statement back.
    ELSE (moved.number || ' checkpoints and ' || as_read.number || ' rows were as read')::int
END
FROM (SELECT count(*) AS number FROM moved) AS moved, (SELECT count(*) AS number FROM as_read) AS as_read

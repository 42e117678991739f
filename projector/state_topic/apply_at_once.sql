-- The part of this view in at_once.sql: write the states. $10 to $15 as in upsert_states.sql
written AS (
    INSERT INTO views.product_state AS held (
        product_id, partition, stream_version, log_position, recorded_at, document
    )
    SELECT product_id, partition, stream_version, log_position, recorded_at, document
    FROM unnest($10::uuid[], $11::int[], $12::int[], $13::bigint[], $14::timestamptz[], $15::bytea[])
        AS row(product_id, partition, stream_version, log_position, recorded_at, document)
    WHERE (SELECT count(*) FROM moved) = cardinality($3::int[])
    ON CONFLICT (product_id) DO UPDATE
    SET stream_version = EXCLUDED.stream_version, log_position = EXCLUDED.log_position,
        recorded_at = EXCLUDED.recorded_at, document = EXCLUDED.document, saved_at = clock_timestamp()
    WHERE held.stream_version < EXCLUDED.stream_version
    RETURNING held.product_id, coalesce(old.stream_version, 0) AS old_version, held.tableoid AS table_oid
)

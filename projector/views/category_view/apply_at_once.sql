-- Apply an ordinary batch in one statement: move the checkpoints, write the products, and add to the counts, none of
-- which gets empty. An error, and nothing is written, unless every checkpoint and every product was as read.
-- $1 to $7 as in move_checkpoints.sql, $8 the tables that were read, $9 versions as read (0: none),
-- $10 to $15 as in upsert_counted_products.sql, $16 to $23 as in add_category_counts.sql, $24 to $27 as in
-- add_brand_counts.sql
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
), written AS (
    INSERT INTO views.category_view_product AS held (
        product_id, stream_version, log_position, status, category, brand
    )
    SELECT product_id, stream_version, log_position, status, category, brand
    FROM unnest($10::uuid[], $11::int[], $12::bigint[], $13::text[], $14::text[], $15::text[])
        AS row(product_id, stream_version, log_position, status, category, brand)
    WHERE (SELECT count(*) FROM moved) = cardinality($3::int[])
    ORDER BY product_id
    ON CONFLICT (product_id) DO UPDATE
    SET stream_version = EXCLUDED.stream_version, log_position = EXCLUDED.log_position, status = EXCLUDED.status,
        category = EXCLUDED.category, brand = EXCLUDED.brand
    WHERE held.stream_version < EXCLUDED.stream_version
    RETURNING held.product_id, coalesce(old.stream_version, 0) AS old_version, held.tableoid AS table_oid
), as_read AS (
    SELECT FROM written
    JOIN unnest($10::uuid[], $9::int[]) AS read(product_id, stream_version) USING (product_id)
    WHERE written.old_version = read.stream_version AND written.table_oid = ANY ($8::oid[])
), categories AS (
    INSERT INTO views.category_view_category AS counted (
        path, depth, draft, active, archived, subtree_draft, subtree_active, subtree_archived
    )
    SELECT path, depth, draft, active, archived, subtree_draft, subtree_active, subtree_archived
    FROM unnest(
        $16::text[], $17::int[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[]
    ) AS difference(path, depth, draft, active, archived, subtree_draft, subtree_active, subtree_archived)
    ORDER BY path COLLATE "C"
    ON CONFLICT (path) DO UPDATE
    SET draft = counted.draft + EXCLUDED.draft, active = counted.active + EXCLUDED.active,
        archived = counted.archived + EXCLUDED.archived,
        subtree_draft = counted.subtree_draft + EXCLUDED.subtree_draft,
        subtree_active = counted.subtree_active + EXCLUDED.subtree_active,
        subtree_archived = counted.subtree_archived + EXCLUDED.subtree_archived
), brands AS (
    INSERT INTO views.category_view_brand AS counted (brand, draft, active, archived)
    SELECT brand, draft, active, archived
    FROM unnest($24::text[], $25::bigint[], $26::bigint[], $27::bigint[]) AS difference(brand, draft, active, archived)
    ORDER BY brand COLLATE "C"
    ON CONFLICT (brand) DO UPDATE
    SET draft = counted.draft + EXCLUDED.draft, active = counted.active + EXCLUDED.active,
        archived = counted.archived + EXCLUDED.archived
)
SELECT CASE
    WHEN moved.number = cardinality($3::int[]) AND as_read.number = cardinality($10::uuid[]) THEN 0
    -- An error, because it rolls all of the statement back.
    ELSE (moved.number || ' checkpoints and ' || as_read.number || ' rows were as read')::int
END
FROM (SELECT count(*) AS number FROM moved) AS moved, (SELECT count(*) AS number FROM as_read) AS as_read

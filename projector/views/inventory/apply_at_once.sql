-- The part of this view in at_once.sql: write the products and their stock items. $10 to $14 as in
-- upsert_stocked_products.sql, $15 to $19 as in upsert_stock_items.sql
written AS (
    INSERT INTO views.inventory_product AS held (product_id, stream_version, log_position, is_deleted, opened_at)
    SELECT product_id, stream_version, log_position, is_deleted, opened_at
    FROM unnest($10::uuid[], $11::int[], $12::bigint[], $13::bool[], $14::bytea[])
        AS row(product_id, stream_version, log_position, is_deleted, opened_at)
    WHERE (SELECT count(*) FROM moved) = cardinality($3::int[])
    ORDER BY product_id
    ON CONFLICT (product_id) DO UPDATE
    SET stream_version = EXCLUDED.stream_version, log_position = EXCLUDED.log_position,
        is_deleted = EXCLUDED.is_deleted, opened_at = EXCLUDED.opened_at
    WHERE held.stream_version < EXCLUDED.stream_version
    RETURNING held.product_id, coalesce(old.stream_version, 0) AS old_version, held.tableoid AS table_oid
), items AS (
    INSERT INTO views.stock_item AS held (sku, product_id, state, opened_at, closed_at, log_position)
    SELECT sku, product_id, CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END, opened_at, closed_at,
           log_position
    FROM unnest($15::text[], $16::uuid[], $17::timestamptz[], $18::timestamptz[], $19::bigint[])
        AS row(sku, product_id, opened_at, closed_at, log_position)
    ORDER BY sku COLLATE "C"
    ON CONFLICT (sku) DO UPDATE
    SET product_id = EXCLUDED.product_id, state = EXCLUDED.state, opened_at = EXCLUDED.opened_at,
        closed_at = EXCLUDED.closed_at, log_position = EXCLUDED.log_position
    WHERE held.log_position < EXCLUDED.log_position
)

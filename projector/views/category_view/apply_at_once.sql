-- The part of this view in at_once.sql: write the products, and add to the counts, none of which gets empty. $10 to
-- $15 as in upsert_counted_products.sql, $16 to $23 as in add_category_counts.sql, $24 to $27 as in
-- add_brand_counts.sql
written AS (
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

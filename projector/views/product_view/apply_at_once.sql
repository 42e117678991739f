-- The part of this view in at_once.sql: write the products, their variants and snapshots. $10 to $22 as in
-- upsert_products.sql, $23 and $24 as in delete_variants.sql, $25 to $28 as in upsert_variants.sql, $29 to $33 as in
-- upsert_snapshots.sql
written AS (
    INSERT INTO views.product_view AS held (
        product_id, stream_version, log_position, status, slug, name, brand, product_type, category, tags,
        created_at, updated_at, document
    )
    SELECT product_id, stream_version, log_position, status, slug, name, brand, product_type, category,
           tags::text[], created_at, updated_at, document
    FROM unnest(
        $10::uuid[], $11::int[], $12::bigint[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[],
        $18::text[], $19::text[], $20::timestamptz[], $21::timestamptz[], $22::bytea[]
    ) AS row(
        product_id, stream_version, log_position, status, slug, name, brand, product_type, category, tags,
        created_at, updated_at, document
    )
    WHERE (SELECT count(*) FROM moved) = cardinality($3::int[])
    ON CONFLICT (product_id) DO UPDATE
    SET stream_version = EXCLUDED.stream_version, log_position = EXCLUDED.log_position,
        status = EXCLUDED.status, slug = EXCLUDED.slug, name = EXCLUDED.name, brand = EXCLUDED.brand,
        product_type = EXCLUDED.product_type, category = EXCLUDED.category, tags = EXCLUDED.tags,
        updated_at = EXCLUDED.updated_at, document = EXCLUDED.document
    WHERE held.stream_version < EXCLUDED.stream_version
    RETURNING held.product_id, coalesce(old.stream_version, 0) AS old_version, held.tableoid AS table_oid
), gone AS (
    DELETE FROM views.product_view_variant AS variant
    USING unnest($23::uuid[], $24::text[]) AS gone(product_id, sku)
    WHERE variant.product_id = gone.product_id AND variant.sku = gone.sku
), variants AS (
    INSERT INTO views.product_view_variant (product_id, sku, currency, amount)
    SELECT product_id, sku, currency, amount::numeric
    FROM unnest($25::uuid[], $26::text[], $27::text[], $28::text[]) AS row(product_id, sku, currency, amount)
    ON CONFLICT (product_id, sku) DO UPDATE SET currency = EXCLUDED.currency, amount = EXCLUDED.amount
), snapshots AS (
    INSERT INTO views.product_snapshot AS held (product_id, fold, stream_version, log_position, document)
    SELECT product_id, $30::text, stream_version, log_position, document
    FROM unnest($29::uuid[], $31::int[], $32::bigint[], $33::bytea[])
        AS row(product_id, stream_version, log_position, document)
    ON CONFLICT (product_id, fold, stream_version) DO UPDATE
    SET log_position = EXCLUDED.log_position, document = EXCLUDED.document
    WHERE (held.log_position, held.document) IS DISTINCT FROM (EXCLUDED.log_position, EXCLUDED.document)
)

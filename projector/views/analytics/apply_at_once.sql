-- The part of this view in at_once.sql: write the products, and add to the sums. $10 to $16 as in
-- upsert_analysed_products.sql, $17 to $32 as in add_analytics_changes.sql, $33 to $42 as in add_analytics_prices.sql
written AS (
    INSERT INTO views.analytics_product AS held (
        product_id, stream_version, log_position, is_deleted, category, brand, prices
    )
    SELECT product_id, stream_version, log_position, is_deleted, category, brand, prices
    FROM unnest($10::uuid[], $11::int[], $12::bigint[], $13::bool[], $14::text[], $15::text[], $16::bytea[])
        AS row(product_id, stream_version, log_position, is_deleted, category, brand, prices)
    WHERE (SELECT count(*) FROM moved) = cardinality($3::int[])
    ORDER BY product_id
    ON CONFLICT (product_id) DO UPDATE
    SET stream_version = EXCLUDED.stream_version, log_position = EXCLUDED.log_position,
        is_deleted = EXCLUDED.is_deleted, category = EXCLUDED.category, brand = EXCLUDED.brand,
        prices = EXCLUDED.prices
    WHERE held.stream_version < EXCLUDED.stream_version
    RETURNING held.product_id, coalesce(old.stream_version, 0) AS old_version, held.tableoid AS table_oid
), changes AS (
    INSERT INTO views.analytics_change AS counted (
        day, dimension, category, brand, products_created, products_published, products_archived, products_restored,
        products_deleted, details_changed, variants_added, variants_changed, variants_removed, price_changes,
        price_increases, price_decreases
    )
    SELECT *
    FROM unnest(
        $17::date[], $18::bytea[], $19::text[], $20::text[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[],
        $25::bigint[], $26::bigint[], $27::bigint[], $28::bigint[], $29::bigint[], $30::bigint[], $31::bigint[],
        $32::bigint[]
    ) AS fact(
        day, dimension, category, brand, products_created, products_published, products_archived, products_restored,
        products_deleted, details_changed, variants_added, variants_changed, variants_removed, price_changes,
        price_increases, price_decreases
    )
    ORDER BY day, dimension
    ON CONFLICT (day, dimension) DO UPDATE
    SET products_created = counted.products_created + EXCLUDED.products_created,
        products_published = counted.products_published + EXCLUDED.products_published,
        products_archived = counted.products_archived + EXCLUDED.products_archived,
        products_restored = counted.products_restored + EXCLUDED.products_restored,
        products_deleted = counted.products_deleted + EXCLUDED.products_deleted,
        details_changed = counted.details_changed + EXCLUDED.details_changed,
        variants_added = counted.variants_added + EXCLUDED.variants_added,
        variants_changed = counted.variants_changed + EXCLUDED.variants_changed,
        variants_removed = counted.variants_removed + EXCLUDED.variants_removed,
        price_changes = counted.price_changes + EXCLUDED.price_changes,
        price_increases = counted.price_increases + EXCLUDED.price_increases,
        price_decreases = counted.price_decreases + EXCLUDED.price_decreases
), prices AS (
    INSERT INTO views.analytics_price AS counted (
        day, dimension, currency, category, brand, price_changes, price_increases, price_decreases, compared,
        log_ratio_sum
    )
    SELECT *
    FROM unnest(
        $33::date[], $34::bytea[], $35::text[], $36::text[], $37::text[], $38::bigint[], $39::bigint[], $40::bigint[],
        $41::bigint[], $42::numeric[]
    ) AS fact(
        day, dimension, currency, category, brand, price_changes, price_increases, price_decreases, compared,
        log_ratio_sum
    )
    ORDER BY day, dimension, currency COLLATE "C"
    ON CONFLICT (day, dimension, currency) DO UPDATE
    SET price_changes = counted.price_changes + EXCLUDED.price_changes,
        price_increases = counted.price_increases + EXCLUDED.price_increases,
        price_decreases = counted.price_decreases + EXCLUDED.price_decreases,
        compared = counted.compared + EXCLUDED.compared,
        log_ratio_sum = counted.log_ratio_sum + EXCLUDED.log_ratio_sum
)

-- One page of products by name or by time of change that have a price in one currency ($8), perhaps in a range.
-- A statement of its own, because the condition is a join: as an optional filter (`NULL IS NULL OR EXISTS …`)
-- it made PostgreSQL collect all prices of the currency for each page, or try each product in turn.
--
-- Everything else is as in list_products.sql, and the parameters have the same numbers.
SELECT
    page.product_id,
    page.name,
    page.updated_at,
    CASE
        WHEN sum(octet_length(page.document)) OVER running <= $15::bigint OR row_number() OVER running = 1
        THEN page.document
    END AS document
FROM (
    SELECT product.product_id, product.name, product.updated_at, product.document
    FROM views.product_view AS product
    WHERE product.status <> 'deleted'
      AND product.status = ANY ($1::text[])
      AND ($2::text IS NULL
           OR product.category COLLATE "C" = $2
           -- The subtree of `a` is `a/…`, and `0` is the character after `/`: a range an index can walk.
           OR (product.category COLLATE "C" > $2 || '/' AND product.category COLLATE "C" < $2 || '0'))
      AND ($3::text IS NULL OR product.brand = $3)
      AND ($4::text IS NULL OR product.tags @> ARRAY[$4])
      AND ($5::uuid[] IS NULL OR product.product_id = ANY ($5))
      AND ($6::text IS NULL OR product.product_id = ANY (ARRAY(
              SELECT variant.product_id FROM views.product_view_variant AS variant WHERE variant.sku = $6)))
      AND ($7::timestamptz IS NULL OR product.updated_at > $7)
      AND EXISTS (
              SELECT FROM views.product_view_variant AS variant
              WHERE variant.product_id = product.product_id
                AND variant.currency = $8::text
                AND ($9::numeric IS NULL OR variant.amount >= $9)
                AND ($10::numeric IS NULL OR variant.amount <= $10))
      AND ($13::uuid IS NULL OR CASE $11::text
              WHEN 'name' THEN (product.name COLLATE "C", product.product_id) > ($12::text, $13)
              WHEN '-name' THEN (product.name COLLATE "C", product.product_id) < ($12::text, $13)
              WHEN 'updated_at' THEN
                  product.updated_at >= $12::text::timestamptz
                  AND (product.updated_at > $12::text::timestamptz OR product.product_id < $13)
              ELSE
                  product.updated_at <= $12::text::timestamptz
                  AND (product.updated_at < $12::text::timestamptz OR product.product_id > $13)
          END)
    ORDER BY
        CASE WHEN $11 = 'name' THEN product.name END COLLATE "C",
        CASE WHEN $11 = 'name' THEN product.product_id END,
        CASE WHEN $11 = '-name' THEN product.name END COLLATE "C" DESC,
        CASE WHEN $11 = '-name' THEN product.product_id END DESC,
        CASE WHEN $11 = 'updated_at' THEN product.updated_at END,
        CASE WHEN $11 = 'updated_at' THEN product.product_id END DESC,
        CASE WHEN $11 = '-updated_at' THEN product.updated_at END DESC,
        CASE WHEN $11 = '-updated_at' THEN product.product_id END
    LIMIT $14::int
) AS page
WINDOW running AS (ROWS UNBOUNDED PRECEDING)

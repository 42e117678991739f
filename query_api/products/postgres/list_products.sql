-- One page of products by name or by time of change, with the documents that fit the page's byte limit.
-- Every filter is optional: NULL means "no filter". The connections that run this make a new plan for each
-- call (plan_cache_mode = force_custom_plan), so that the planner removes unused filters and sort orders, and
-- the rest is a walk along one index. See query_api/products/postgres/product_lists.py for the parameters.
--
-- Rows are in page order. `document` is NULL from the first row that does not fit into $15 bytes; the first
-- row always has its document.
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
      -- Prices are a matter of the statements that have them; these three are NULL.
      AND $8::text IS NULL AND $9::numeric IS NULL AND $10::numeric IS NULL
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

-- One page of products by their cheapest variant in one currency ($8), with the documents that fit the page's
-- byte limit. A product without a price in that currency is not listed. The walk is along the index
-- (currency, amount, product_id), with one entry per product: its cheapest variant, ties broken by SKU.
--
-- Filters, planning and result are as in list_products.sql; the parameters have the same numbers, except that
-- $12 is the amount (as text) after which the page begins.
SELECT
    page.product_id,
    page.amount,
    CASE
        WHEN sum(octet_length(page.document)) OVER running <= $15::bigint OR row_number() OVER running = 1
        THEN page.document
    END AS document
FROM (
    SELECT cheapest.product_id, cheapest.amount, product.document
    FROM views.product_view_variant AS cheapest
    JOIN views.product_view AS product USING (product_id)
    WHERE cheapest.currency = $8::text
      AND NOT EXISTS (
              SELECT FROM views.product_view_variant AS other
              WHERE other.product_id = cheapest.product_id
                AND other.currency = $8
                AND (other.amount, other.sku) < (cheapest.amount, cheapest.sku))
      AND product.status <> 'deleted'
      AND product.status = ANY ($1::text[])
      AND ($2::text IS NULL
           OR product.category COLLATE "C" = $2
           OR (product.category COLLATE "C" > $2 || '/' AND product.category COLLATE "C" < $2 || '0'))
      AND ($3::text IS NULL OR product.brand = $3)
      AND ($4::text IS NULL OR product.tags @> ARRAY[$4])
      AND ($5::uuid[] IS NULL OR product.product_id = ANY ($5))
      AND ($6::text IS NULL OR product.product_id = ANY (ARRAY(
              SELECT variant.product_id FROM views.product_view_variant AS variant WHERE variant.sku = $6)))
      AND ($7::timestamptz IS NULL OR product.updated_at > $7)
      -- Not only if there is a range: an optional one is no join (list_products_in_currency.sql).
      AND EXISTS (
              SELECT FROM views.product_view_variant AS variant
              WHERE variant.product_id = product.product_id
                AND variant.currency = $8
                AND ($9::numeric IS NULL OR variant.amount >= $9)
                AND ($10::numeric IS NULL OR variant.amount <= $10))
      AND ($10::numeric IS NULL OR cheapest.amount <= $10)
      AND ($13::uuid IS NULL OR CASE $11::text
              WHEN 'price' THEN (cheapest.amount, cheapest.product_id) > ($12::text::numeric, $13)
              ELSE (cheapest.amount, cheapest.product_id) < ($12::text::numeric, $13)
          END)
    ORDER BY
        CASE WHEN $11 = 'price' THEN cheapest.amount END,
        CASE WHEN $11 = 'price' THEN cheapest.product_id END,
        CASE WHEN $11 = '-price' THEN cheapest.amount END DESC,
        CASE WHEN $11 = '-price' THEN cheapest.product_id END DESC
    LIMIT $14::int
) AS page
WINDOW running AS (ROWS UNBOUNDED PRECEDING)

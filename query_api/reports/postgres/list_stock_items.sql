-- One page of stock items by SKU.
-- $1 SKU, $2 product id, $3 state (each NULL: any), $4 the SKU after which the page begins or NULL, $5 row limit
SELECT sku, product_id, state, opened_at, closed_at
FROM views.stock_item
WHERE ($1::text IS NULL OR sku = $1)
  AND ($2::uuid IS NULL OR product_id = $2)
  AND ($3::text IS NULL OR state = $3)
  AND ($4::text IS NULL OR sku > $4)
ORDER BY sku
LIMIT $5::int

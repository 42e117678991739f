-- Write the stock items of some SKUs, each at most once, in their order; a row with a later position stays.
-- $1 SKUs, $2 product ids, $3 opened at, $4 closed at or NULL, $5 log positions
INSERT INTO views.stock_item AS held (sku, product_id, state, opened_at, closed_at, log_position)
SELECT sku, product_id, CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END, opened_at, closed_at, log_position
FROM unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::bigint[])
    AS row(sku, product_id, opened_at, closed_at, log_position)
ORDER BY sku COLLATE "C"
ON CONFLICT (sku) DO UPDATE
SET product_id = EXCLUDED.product_id, state = EXCLUDED.state, opened_at = EXCLUDED.opened_at,
    closed_at = EXCLUDED.closed_at, log_position = EXCLUDED.log_position
WHERE held.log_position < EXCLUDED.log_position

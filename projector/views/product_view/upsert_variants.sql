-- Write the rows of variants that are new or have another price.
-- $1 product ids, $2 SKUs, $3 currencies, $4 amounts as decimal strings
INSERT INTO views.product_view_variant (product_id, sku, currency, amount)
SELECT product_id, sku, currency, amount::numeric
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS row(product_id, sku, currency, amount)
ON CONFLICT (product_id, sku) DO UPDATE SET currency = EXCLUDED.currency, amount = EXCLUDED.amount

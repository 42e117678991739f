-- Delete the rows of variants that were removed.
-- $1 product ids, $2 SKUs
DELETE FROM views.product_view_variant AS variant
USING unnest($1::uuid[], $2::text[]) AS gone(product_id, sku)
WHERE variant.product_id = gone.product_id AND variant.sku = gone.sku

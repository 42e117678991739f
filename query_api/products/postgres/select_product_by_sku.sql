-- The product with a SKU that is not deleted. While a SKU moves to another product, both may have it for a
-- moment, because they are projected from different partitions: the later event in the log is right.
SELECT product.product_id, product.stream_version, product.document, pg_is_in_recovery() AS may_be_old
FROM views.product_view_variant AS variant
JOIN views.product_view AS product USING (product_id)
WHERE variant.sku = $1
  AND product.status <> 'deleted'
ORDER BY product.log_position DESC
LIMIT 1

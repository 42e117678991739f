-- The live product with a slug; as with SKUs, the later event in the log is right where two have it.
SELECT product_id, stream_version, document
FROM views.product_view
WHERE slug = $1
  AND status <> 'deleted'
ORDER BY log_position DESC
LIMIT 1

-- The product with a slug that is not deleted; as with SKUs, if two have it the later event in the log is right.
SELECT product_id, stream_version, document, pg_is_in_recovery() AS may_be_old
FROM views.product_view
WHERE slug = $1
  AND status <> 'deleted'
ORDER BY log_position DESC
LIMIT 1

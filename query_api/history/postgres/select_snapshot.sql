-- The newest document of a stream up to a version that code with this fold has kept.
-- $1 product id, $2 the fold, $3 up to this version
SELECT stream_version, log_position, document
FROM views.product_snapshot
WHERE product_id = $1 AND fold = $2 AND stream_version <= $3
ORDER BY stream_version DESC
LIMIT 1

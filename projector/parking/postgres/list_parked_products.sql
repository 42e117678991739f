-- Parked products, oldest first.
-- $1 projection, $2 product id, $3 id of its first dead letter, $4 error class, $5 parked then or before (each NULL:
-- any), $6 and $7 when the last product of the page before was parked, and its id (NULL: the first page), $8 how many at
-- most
SELECT product.projection, product.product_id, product.error_class, product.cause, product.events, product.attempts,
       product.parked_at, product.tried_at, first.parked_event_id AS first_parked_event_id,
       first.stream_version AS first_stream_version, first.log_position AS first_log_position,
       first.topic, first.partition, first.record_offset
FROM views.parked_product AS product
CROSS JOIN LATERAL (
    SELECT * FROM views.parked_event AS event
    WHERE event.projection = product.projection AND event.product_id = product.product_id
    ORDER BY event.stream_version, event.parked_event_id
    LIMIT 1
) AS first
WHERE ($1::text IS NULL OR product.projection = $1)
  AND ($2::uuid IS NULL OR product.product_id = $2)
  AND ($3::bigint IS NULL OR first.parked_event_id = $3)
  AND ($4::text IS NULL OR product.error_class = $4)
  AND ($5::timestamptz IS NULL OR product.parked_at <= $5)
  AND ($6::timestamptz IS NULL OR (product.parked_at, product.product_id) > ($6, $7::uuid))
ORDER BY product.parked_at, product.product_id, product.projection
LIMIT $8::int

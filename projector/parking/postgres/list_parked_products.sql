-- Parked products, oldest first.
-- $1 projection, $2 product id, $3 error class (each NULL: any), $4 how many at most
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
  AND ($3::text IS NULL OR product.error_class = $3)
ORDER BY product.parked_at, product.projection, product.product_id
LIMIT $4::int

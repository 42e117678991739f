-- Parked products, by their first event, and records that are parked alone; the oldest first.
-- $1 projection (NULL: any), $2 to $4 when the last one of the page before was parked, its projection and its key (NULL: the
-- first page), $5 how many at most
WITH product AS (
    SELECT projection COLLATE "C" AS projection, product_id::text COLLATE "C" AS key, product_id, error_class, cause, parked_at,
           events, attempts
    FROM views.parked_product
    WHERE ($1::text IS NULL OR projection = $1)
      AND ($2::timestamptz IS NULL OR (parked_at, projection COLLATE "C", product_id::text COLLATE "C") > ($2, $3::text, $4::text))
    ORDER BY parked_at, 1, 2
    LIMIT $5::int
), alone AS (
    SELECT projection COLLATE "C" AS projection, lpad(parked_event_id::text, 19, '0') COLLATE "C" AS key, parked_event_id,
           log_position, event_type, error_class, cause, parked_at
    FROM views.parked_alone
    WHERE ($1::text IS NULL OR projection = $1)
      AND ($2::timestamptz IS NULL
           OR (parked_at, projection COLLATE "C", lpad(parked_event_id::text, 19, '0') COLLATE "C") > ($2, $3::text, $4::text))
    ORDER BY parked_at, 1, 2
    LIMIT $5::int
)
SELECT product.projection, product.product_id, first.parked_event_id AS dead_letter_id, first.log_position, first.event_type,
       product.error_class, product.cause, product.parked_at, greatest(product.events - 1, 0) AS followers,
       product.attempts, product.key
FROM product
LEFT JOIN LATERAL (
    SELECT event.parked_event_id, event.log_position, event.event_type
    FROM views.parked_event AS event
    WHERE event.projection = product.projection AND event.product_id = product.product_id
    ORDER BY event.stream_version, event.parked_event_id
    LIMIT 1
) AS first ON true
UNION ALL
SELECT alone.projection, NULL, alone.parked_event_id, alone.log_position, alone.event_type, alone.error_class, alone.cause,
       alone.parked_at, 0, 1, alone.key
FROM alone
ORDER BY parked_at, projection, key
LIMIT $5::int

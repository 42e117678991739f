-- How many dead letters there are, and the time.
-- $1 projection, $2 product id, $3 id of the (first) dead letter, $4 error class (each NULL: any)
SELECT (
    SELECT count(*) FROM views.parked_product AS product
    WHERE ($1::text IS NULL OR product.projection = $1)
      AND ($2::uuid IS NULL OR product.product_id = $2)
      AND ($3::bigint IS NULL OR $3 = (
          SELECT event.parked_event_id FROM views.parked_event AS event
          WHERE event.projection = product.projection AND event.product_id = product.product_id
          ORDER BY event.stream_version, event.parked_event_id
          LIMIT 1
      ))
      AND ($4::text IS NULL OR product.error_class = $4)
)::int AS products, (
    SELECT count(*) FROM views.parked_event
    WHERE product_id IS NULL
      AND $2::uuid IS NULL
      AND ($1::text IS NULL OR projection = $1)
      AND ($3::bigint IS NULL OR parked_event_id = $3)
      AND ($4::text IS NULL OR error_class = $4)
)::int AS alone, clock_timestamp() AS counted_at

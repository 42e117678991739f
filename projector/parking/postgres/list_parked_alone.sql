-- Records that are parked alone, oldest first; none if a product is given.
-- $1 projection, $2 product id, $3 id, $4 error class, $5 parked then or before (each NULL: any), $6 id of the
-- last one of the page before (NULL: the first page), $7 how many at most
SELECT parked_event_id, projection, topic, partition, record_offset, key, error_class, cause, parked_at
FROM views.parked_event
WHERE product_id IS NULL
  AND $2::uuid IS NULL
  AND ($1::text IS NULL OR projection = $1)
  AND ($3::bigint IS NULL OR parked_event_id = $3)
  AND ($4::text IS NULL OR error_class = $4)
  AND ($5::timestamptz IS NULL OR parked_at <= $5)
  AND ($6::bigint IS NULL OR parked_event_id > $6)
ORDER BY parked_event_id
LIMIT $7::int

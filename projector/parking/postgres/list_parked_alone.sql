-- Parked records that belong to no product's sequence, oldest first.
-- $1 projection, $2 error class (each NULL: any), $3 how many at most
SELECT parked_event_id, projection, topic, partition, record_offset, key, error_class, cause, parked_at
FROM views.parked_event
WHERE product_id IS NULL
  AND ($1::text IS NULL OR projection = $1)
  AND ($2::text IS NULL OR error_class = $2)
ORDER BY parked_event_id
LIMIT $3::int

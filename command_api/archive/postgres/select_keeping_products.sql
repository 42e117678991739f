-- Products that keep the partition with positions from $1 up to, but without, $2: those whose newest event is no deletion that
-- is older than $3. A product that is gone from another partition was deleted long before. At most $4.
SELECT DISTINCT event.product_id
FROM catalogue.events event
WHERE event.position >= $1 AND event.position < $2
  AND NOT EXISTS (SELECT FROM catalogue.gone_streams gone WHERE gone.product_id = event.product_id)
  AND NOT EXISTS (
      SELECT FROM catalogue.streams stream
      JOIN catalogue.events last ON last.position = stream.last_position
      WHERE stream.product_id = event.product_id AND last.event_type = 'product-deleted'
        AND last.recorded_at < now() - $3::interval)
LIMIT $4

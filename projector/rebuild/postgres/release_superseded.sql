-- After a switch: deletes dead letters that the new view has applied, and products without dead letters.
-- $1 projection, then one element a product: $2 product ids, $3 their versions in the new view
WITH held AS (
    SELECT * FROM unnest($2::uuid[], $3::int[]) AS row(product_id, stream_version)
), released AS (
    DELETE FROM views.parked_event AS event USING held
    WHERE event.projection = $1 AND event.product_id = held.product_id
      AND event.stream_version <= held.stream_version
    RETURNING event.parked_event_id
)
SELECT count(*)::int FROM released

-- As count_replay, but only of the products $4; each is found by an index.
SELECT count(*) FROM catalogue.streams stream
JOIN catalogue.events ON events.product_id = stream.product_id
    AND events.position BETWEEN greatest(stream.first_position, $1::bigint + 1) AND least(stream.last_position, $2)
WHERE stream.product_id = ANY ($4::uuid[]) AND ($3::text[] IS NULL OR event_type = ANY ($3))

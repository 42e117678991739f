-- How far a product's stream is on this server, and the newest position of the whole log; one row, also without such a product.
-- $1 product id, $2 whether the newest position is asked for
SELECT stream.stream_version,
       EXISTS (SELECT FROM catalogue.gone_streams AS gone WHERE gone.product_id = $1::uuid) AS is_archived,
       CASE WHEN $2::bool THEN (SELECT coalesce(max(position), 0) FROM catalogue.events) END AS newest_position
FROM (SELECT) AS always
LEFT JOIN catalogue.streams AS stream ON stream.product_id = $1::uuid

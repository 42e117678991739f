-- A product's newest event, and how far the relay has published the log. No row: there is no such product.
-- $1 product id
SELECT stream.stream_version, stream.last_position AS log_position,
       (SELECT coalesce(max(log_position), 0) FROM catalogue.relay_cursor) AS relay_position
FROM catalogue.streams AS stream
WHERE stream.product_id = $1

-- The version that a product had at a time, and how far its stream is on the server that says so.
-- $1 product id, $2 the time
SELECT catalogue.stream_version_at($1, $2) AS stream_version,
       (SELECT stream.stream_version FROM catalogue.streams AS stream WHERE stream.product_id = $1) AS newest_version

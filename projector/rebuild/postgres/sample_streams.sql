-- A random sample of products with their newest versions; each product is equally likely, but for those
-- that are gone with removed partitions of the log.
-- $1 how many
SELECT product_id, stream_version FROM catalogue.streams
WHERE NOT EXISTS (SELECT FROM catalogue.gone_streams AS gone WHERE gone.product_id = streams.product_id)
ORDER BY random() LIMIT $1

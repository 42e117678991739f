-- A random sample of products with their newest versions; each product is equally likely.
-- $1 how many
SELECT product_id, stream_version FROM catalogue.streams ORDER BY random() LIMIT $1

-- Some products and their newest versions, each as likely as any other.
-- $1 how many
SELECT product_id, stream_version FROM catalogue.streams ORDER BY random() LIMIT $1

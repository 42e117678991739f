-- Products and their newest versions, in the order of their ids, a page at a time; without those that are gone with removed
-- partitions of the log.
-- $1 after this id, or NULL for the first page, $2 how many
SELECT product_id, stream_version
FROM catalogue.streams
WHERE ($1::uuid IS NULL OR product_id > $1)
  AND NOT EXISTS (SELECT FROM catalogue.gone_streams AS gone WHERE gone.product_id = streams.product_id)
ORDER BY product_id
LIMIT $2

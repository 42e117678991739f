-- Products and their newest versions, in the order of their ids, a page at a time.
-- $1 after this id, or NULL for the first page, $2 how many
SELECT product_id, stream_version
FROM catalogue.streams
WHERE $1::uuid IS NULL OR product_id > $1
ORDER BY product_id
LIMIT $2

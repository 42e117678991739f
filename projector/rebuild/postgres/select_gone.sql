-- Which of some products are gone with removed partitions of the log.
-- $1 products
SELECT product_id FROM catalogue.gone_streams WHERE product_id = ANY ($1::uuid[])

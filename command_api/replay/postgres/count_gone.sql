-- How many of the products $1 have events in removed partitions of the log.
SELECT count(DISTINCT product_id) FROM catalogue.gone_streams WHERE product_id = ANY ($1::uuid[])

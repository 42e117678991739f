-- Which of some products are still parked, locked until the transaction ends: a retry waits, or has ended.
-- $1 projection, $2 product ids
SELECT product_id
FROM views.parked_product
WHERE projection = $1 AND product_id = ANY ($2::uuid[])
ORDER BY product_id
FOR UPDATE

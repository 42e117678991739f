-- Updates the counts of parked products, after dead letters were released.
-- $1 projection
WITH counted AS (
    SELECT product.product_id, count(event.parked_event_id)::int AS events
    FROM views.parked_product AS product
    LEFT JOIN views.parked_event AS event USING (projection, product_id)
    WHERE product.projection = $1
    GROUP BY product.product_id
), gone AS (
    DELETE FROM views.parked_product AS product USING counted
    WHERE product.projection = $1 AND product.product_id = counted.product_id AND counted.events = 0
)
UPDATE views.parked_product AS product SET events = counted.events
FROM counted
WHERE product.projection = $1 AND product.product_id = counted.product_id AND counted.events > 0

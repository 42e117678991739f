-- How much is parked: products in all, and the events of the fullest of some products.
-- $1 projection, $2 product ids
SELECT (SELECT count(*) FROM views.parked_product WHERE projection = $1)::int AS products,
       (SELECT coalesce(max(events), 0) FROM views.parked_product
        WHERE projection = $1 AND product_id = ANY ($2::uuid[]))::int AS events

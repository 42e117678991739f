-- To compare with the limits: the number of parked products, and the most dead letters of one of these products.
-- $1 projection, $2 product ids
SELECT (SELECT count(*) FROM views.parked_product WHERE projection = $1)::int AS products,
       (SELECT coalesce(max(events), 0) FROM views.parked_product
        WHERE projection = $1 AND product_id = ANY ($2::uuid[]))::int AS events

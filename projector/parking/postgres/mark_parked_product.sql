-- A retry of the product has failed for this cause.
-- $1 projection, $2 product id, $3 error class, $4 cause
UPDATE views.parked_product
SET error_class = $3, cause = $4, attempts = attempts + 1, tried_at = clock_timestamp()
WHERE projection = $1 AND product_id = $2

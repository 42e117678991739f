-- Claims a name; the floor, or the row of who has it.
SELECT floor_, product_id, claim, is_held FROM sharding.claim($1, $2, $3)

-- After some dead letters of a product were released: its row is deleted with the last one. Returns how many are left.
-- $1 projection, $2 product id
WITH remaining AS (
    SELECT count(*)::int AS events FROM views.parked_event WHERE projection = $1 AND product_id = $2
), gone AS (
    DELETE FROM views.parked_product
    WHERE projection = $1 AND product_id = $2 AND (SELECT events FROM remaining) = 0
), counted AS (
    UPDATE views.parked_product SET events = remaining.events
    FROM remaining
    WHERE projection = $1 AND product_id = $2 AND remaining.events > 0
)
SELECT events FROM remaining

-- How many products have events up to a position.
-- $1 position
SELECT count(*) FROM catalogue.streams WHERE first_position <= $1

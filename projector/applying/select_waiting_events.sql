-- The events after a position, without their contents: to count what a projection has not applied.
-- $1 after this position, $2 how many at most
SELECT position, product_id, recorded_at FROM catalogue.events WHERE position > $1 ORDER BY position LIMIT $2

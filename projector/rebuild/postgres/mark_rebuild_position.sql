-- The rebuild has applied the log up to a position.
-- $1 projection, $2 position
UPDATE views.rebuild
SET reached_position = greatest(reached_position, $2), changed_at = clock_timestamp()
WHERE projection = $1

-- Stores the position up to which the rebuild has applied the log.
-- $1 projection, $2 position
UPDATE views.rebuild
SET reached_position = greatest(reached_position, $2), changed_at = clock_timestamp()
WHERE projection = $1

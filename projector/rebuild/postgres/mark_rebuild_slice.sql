-- Marks a slice as loaded, in the transaction that loads it.
-- $1 projection, $2 which slice, $3 its events
UPDATE views.rebuild
SET slices_done = slices_done || $2::int, events_done = events_done + $3, changed_at = clock_timestamp()
WHERE projection = $1 AND NOT slices_done @> ARRAY[$2::int]

-- Deletes dead letters: they are applied or discarded.
-- $1 projection, $2 their ids
DELETE FROM views.parked_event
WHERE projection = $1 AND parked_event_id = ANY ($2::bigint[])

-- The number of events after position $1 up to $2, of the event types $3 (NULL: all).
SELECT count(*) FROM catalogue.events
WHERE position > $1 AND position <= $2 AND ($3::text[] IS NULL OR event_type = ANY ($3))

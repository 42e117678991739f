-- The number of events from position $1 up to, but without, $2.
SELECT count(*) FROM catalogue.events WHERE position >= $1 AND position < $2

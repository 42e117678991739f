-- Marks an old claim as unknown: its process died, and nobody knows whether the mail was sent.
-- $1 event id, $2 recipient, $3 seconds, $4 cause
UPDATE views.notification
SET state = 'unknown', settled_at = clock_timestamp(), cause = $4
WHERE event_id = $1 AND recipient = $2 AND state = 'claimed'
  AND claimed_at < clock_timestamp() - make_interval(secs => $3::float8)

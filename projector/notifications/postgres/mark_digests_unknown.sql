-- Marks old claims as unknown: their process died, and nobody knows whether the mails were sent.
-- $1 seconds, $2 cause
UPDATE views.notification_digest
SET state = 'unknown', settled_at = clock_timestamp(), cause = $2
WHERE state = 'claimed' AND claimed_at < clock_timestamp() - make_interval(secs => $1::float8)

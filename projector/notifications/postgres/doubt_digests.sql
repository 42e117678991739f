-- Claims older than any sending takes: whoever had them died, and nobody knows whether the mails went out.
-- $1 seconds, $2 cause
UPDATE views.notification_digest
SET state = 'unknown', settled_at = clock_timestamp(), cause = $2
WHERE state = 'claimed' AND claimed_at < clock_timestamp() - make_interval(secs => $1::float8)

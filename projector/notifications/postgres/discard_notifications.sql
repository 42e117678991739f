-- Discards all mails about this event.
-- $1 event id
UPDATE views.notification
SET state = 'discarded', settled_at = clock_timestamp()
WHERE event_id = $1 AND state IN ('planned', 'claimed', 'failed', 'refused', 'unknown')

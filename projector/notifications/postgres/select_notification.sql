-- The state of a mail.
-- $1 event id, $2 recipient
SELECT state, cause FROM views.notification WHERE event_id = $1 AND recipient = $2

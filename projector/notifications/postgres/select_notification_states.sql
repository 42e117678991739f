-- The states of the mails about some events to some recipients.
-- $1 event ids, $2 recipients
SELECT event_id, recipient, state
FROM views.notification
WHERE event_id = ANY ($1::uuid[]) AND recipient = ANY ($2::text[])

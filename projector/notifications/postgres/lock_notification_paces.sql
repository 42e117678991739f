-- The paces of some recipients, locked until the transaction ends: one batch at a time plans mails to them.
-- $1 recipients
SELECT pace.recipient, pace.window_ends_at, pace.single_mails, clock_timestamp() AS asked_at,
       EXISTS (
           SELECT FROM views.notification_gathering AS burst
           WHERE burst.recipient = pace.recipient AND burst.import_id = '' AND burst.digest_id IS NULL
       ) AS has_burst
FROM views.notification_pace AS pace
WHERE pace.recipient = ANY ($1::text[])
ORDER BY pace.recipient
FOR UPDATE OF pace

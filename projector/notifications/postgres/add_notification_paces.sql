-- Adds recipients that never had a mail.
-- $1 recipients
INSERT INTO views.notification_pace (recipient)
SELECT recipient FROM unnest($1::text[]) AS new(recipient) ORDER BY recipient
ON CONFLICT DO NOTHING

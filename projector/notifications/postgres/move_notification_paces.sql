-- Stores the new paces of locked recipients.
-- one element for each recipient: $1 recipients, $2 ends of windows, $3 single mails in them
UPDATE views.notification_pace AS pace
SET window_ends_at = moved.window_ends_at, single_mails = moved.single_mails
FROM unnest($1::text[], $2::timestamptz[], $3::int[]) AS moved(recipient, window_ends_at, single_mails)
WHERE pace.recipient = moved.recipient

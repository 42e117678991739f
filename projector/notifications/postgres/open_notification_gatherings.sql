-- Adds events to the open gatherings; makes a gathering if there is none.
-- one element for each gathering: $1 recipients, $2 import ids ('': a burst), $3 when a new one is due, $4 events
INSERT INTO views.notification_gathering AS open (recipient, import_id, due_at, events)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::int[])
ON CONFLICT (recipient, import_id) WHERE digest_id IS NULL DO UPDATE SET events = open.events + EXCLUDED.events
RETURNING gathering_id, recipient, import_id

-- Makes this log another one. Its own row alone: no event changes.
UPDATE catalogue.event_log SET log_id = gen_random_uuid() RETURNING log_id

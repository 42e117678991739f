-- Nothing counts as published: the relay publishes the log again from its first event.
INSERT INTO catalogue.relay_cursor (relay, log_position) VALUES ($1, 0)
ON CONFLICT (relay) DO UPDATE SET log_position = 0, updated_at = now()

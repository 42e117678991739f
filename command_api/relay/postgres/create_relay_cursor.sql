-- Creates the cursor when a relay runs for the first time.
INSERT INTO catalogue.relay_cursor (relay, log_position) VALUES ($1, 0) ON CONFLICT (relay) DO NOTHING

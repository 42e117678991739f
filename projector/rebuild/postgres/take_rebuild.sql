-- From now on only this owner may change the projection's rebuild. Waits for transactions of the previous owner.
-- $1 projection, $2 owner id
INSERT INTO views.rebuild_owner (projection, owner_id) VALUES ($1, $2)
ON CONFLICT (projection) DO UPDATE SET owner_id = EXCLUDED.owner_id, taken_at = clock_timestamp()

-- A page of endpoints in the order of their ids, which is that of their registration: of one owner, or of everybody ($1 null), after
-- an id or from the beginning ($2 null). The keys stay here.
SELECT endpoint_id, stream_version, owner, (document - 'keys')::text AS document,
       (SELECT max((key ->> 'expires_at')::timestamptz) FROM jsonb_array_elements(document -> 'keys') key
        WHERE (key ->> 'expires_at')::timestamptz > now()) AS old_key_expires_at
FROM catalogue.webhook_endpoints
WHERE NOT is_deleted AND ($1::text IS NULL OR owner = $1) AND ($2::uuid IS NULL OR endpoint_id > $2)
ORDER BY endpoint_id
LIMIT $3::int

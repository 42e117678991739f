-- One endpoint. The keys stay here.
SELECT endpoint_id, stream_version, owner, (document - 'keys')::text AS document,
       (SELECT max((key ->> 'expires_at')::timestamptz) FROM jsonb_array_elements(document -> 'keys') key
        WHERE (key ->> 'expires_at')::timestamptz > now()) AS old_key_expires_at
FROM catalogue.webhook_endpoints
WHERE NOT is_deleted AND endpoint_id = $1::uuid

-- One endpoint with its sealed keys.
SELECT endpoint_id, stream_version, owner, document::text
FROM catalogue.webhook_endpoints
WHERE NOT is_deleted AND endpoint_id = $1::uuid

-- The answers stored under these keys; answers older than 24 hours count as absent.
SELECT key, fingerprint, product_id, stream_version, last_position, status, body
FROM catalogue.idempotency_keys
WHERE key = ANY ($1::uuid[]) AND created_at > clock_timestamp() - interval '24 hours'

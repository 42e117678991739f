-- The events that wait for a digest, once for each recipient, and how long the oldest has waited.
-- $1 recipients
SELECT coalesce(sum(gathering.events), 0)::int AS events,
       coalesce(extract(epoch FROM clock_timestamp() - min(gathering.opened_at)), 0)::float8 AS oldest_seconds
FROM views.notification_gathering AS gathering
LEFT JOIN views.notification_digest AS digest USING (digest_id)
WHERE gathering.recipient = ANY ($1::text[])
  AND (gathering.digest_id IS NULL OR digest.state = 'claimed' OR digest.retry_at IS NOT NULL)

-- One more attempt of each of the deliveries $1: its state is $2 now, $3 describes the attempt. What is settled keeps no body, but for
-- test messages, which are in no log.
UPDATE views.webhook_delivery AS delivery
SET attempts = delivery.attempts || attempt.described::jsonb, state = attempt.state,
    body = CASE WHEN attempt.state <> 'waiting' AND delivery.log_position IS NOT NULL THEN NULL ELSE delivery.body END,
    settled_at = CASE WHEN attempt.state <> 'waiting' THEN clock_timestamp() END
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS attempt(delivery_id, state, described)
WHERE delivery.delivery_id = attempt.delivery_id AND delivery.state = 'waiting'

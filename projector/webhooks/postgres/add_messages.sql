-- Queues messages in their order for endpoint $1: $2 products, $3 webhook ids, $4 event types, $5 log positions, $6 times, $7 bodies.
WITH added AS (
    INSERT INTO views.webhook_delivery (endpoint_id, product_id, webhook_id, event_type, log_position, event_time, body)
    SELECT $1, product_id, webhook_id, event_type, log_position, event_time, body
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::bytea[]) WITH ORDINALITY
        AS message(product_id, webhook_id, event_type, log_position, event_time, body, number)
    ORDER BY number
    RETURNING product_id
)
INSERT INTO views.webhook_lane (endpoint_id, product_id, due_at)
SELECT DISTINCT $1::uuid, product_id, clock_timestamp() FROM added
ON CONFLICT DO NOTHING

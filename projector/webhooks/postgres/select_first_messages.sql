-- The first waiting message of each claimed product: $1 endpoints, $2 products, $3 failed attempts. A statement of its own: one that
-- claims, too, would read what was waiting before it waited for a lock.
SELECT lane.endpoint_id, lane.product_id, first.delivery_id, first.webhook_id, first.body, lane.failed_attempts
FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS lane(endpoint_id, product_id, failed_attempts)
CROSS JOIN LATERAL (
    SELECT delivery_id, webhook_id, body
    FROM views.webhook_delivery AS delivery
    WHERE delivery.endpoint_id = lane.endpoint_id AND delivery.product_id = lane.product_id AND delivery.state = 'waiting'
    ORDER BY delivery_id
    LIMIT 1
) AS first

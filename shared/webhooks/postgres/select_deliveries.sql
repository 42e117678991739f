-- A page of the deliveries to an endpoint, newest first: in one state or in any ($2 null), before a delivery or from the newest ($3
-- null). Only the first waiting one of a product has a next attempt; the others wait for it.
SELECT delivery.delivery_id, delivery.webhook_id, delivery.event_type, delivery.product_id, delivery.log_position, delivery.event_time,
       delivery.state, delivery.attempts::text AS attempts, lane.due_at AS next_attempt_at
FROM views.webhook_delivery delivery
LEFT JOIN views.webhook_lane lane
    ON delivery.state = 'waiting' AND lane.endpoint_id = delivery.endpoint_id AND lane.product_id = delivery.product_id
    AND NOT EXISTS (
        SELECT FROM views.webhook_delivery earlier
        WHERE earlier.state = 'waiting' AND earlier.endpoint_id = delivery.endpoint_id
          AND earlier.product_id = delivery.product_id AND earlier.delivery_id < delivery.delivery_id
    )
WHERE delivery.endpoint_id = $1::uuid AND ($2::text IS NULL OR delivery.state = $2)
  AND ($3::bigint IS NULL OR delivery.delivery_id < $3)
ORDER BY delivery.delivery_id DESC
LIMIT $4::int

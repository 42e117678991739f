-- The product of the waiting delivery $2 of endpoint $1 is tried again at once; what is being sent is not touched.
UPDATE views.webhook_lane AS lane SET due_at = clock_timestamp()
FROM views.webhook_delivery AS delivery
WHERE delivery.endpoint_id = $1 AND delivery.delivery_id = $2 AND delivery.state = 'waiting'
  AND lane.endpoint_id = $1 AND lane.product_id = delivery.product_id AND lane.claim_id IS NULL

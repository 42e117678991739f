-- Of endpoint $1: products with nothing waiting, and nothing that is being sent.
DELETE FROM views.webhook_lane AS lane
WHERE lane.endpoint_id = $1 AND lane.claim_id IS NULL
  AND NOT EXISTS (
      SELECT FROM views.webhook_delivery AS delivery
      WHERE delivery.endpoint_id = $1 AND delivery.product_id = lane.product_id AND delivery.state = 'waiting'
  )

-- The claims $1 on products $2 of endpoints $3 end; their messages are tried again after $4 seconds, or are settled (NULL). A product
-- with nothing more waiting goes. A claim that has expired is another process's now.
WITH settled AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::float8[]) AS result(claim_id, product_id, endpoint_id, retry_seconds)
), gone AS (
    DELETE FROM views.webhook_lane AS lane
    USING settled
    WHERE lane.endpoint_id = settled.endpoint_id AND lane.product_id = settled.product_id AND lane.claim_id = settled.claim_id
      AND settled.retry_seconds IS NULL
      AND NOT EXISTS (
          SELECT FROM views.webhook_delivery AS delivery
          WHERE delivery.endpoint_id = lane.endpoint_id AND delivery.product_id = lane.product_id AND delivery.state = 'waiting'
      )
    RETURNING lane.endpoint_id, lane.product_id
)
UPDATE views.webhook_lane AS lane
SET claim_id = NULL, due_at = clock_timestamp() + make_interval(secs => coalesce(settled.retry_seconds, 0)),
    failed_attempts = CASE WHEN settled.retry_seconds IS NULL THEN 0 ELSE lane.failed_attempts + 1 END
FROM settled
WHERE lane.endpoint_id = settled.endpoint_id AND lane.product_id = settled.product_id AND lane.claim_id = settled.claim_id
  AND NOT EXISTS (
      SELECT FROM gone WHERE gone.endpoint_id = lane.endpoint_id AND gone.product_id = lane.product_id
  )

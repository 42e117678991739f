-- Due products of the endpoints $3, at most $4 of each, which are ours ($1) for $2 seconds. The row of a product is locked only
-- here, so that two processes do not wait for each other.
WITH due AS (
    SELECT lane.endpoint_id, lane.product_id
    FROM unnest($3::uuid[], $4::int[]) AS wanted(endpoint_id, places)
    JOIN views.webhook_endpoint AS endpoint USING (endpoint_id)
    CROSS JOIN LATERAL (
        SELECT waiting.endpoint_id, waiting.product_id
        FROM views.webhook_lane AS waiting
        WHERE waiting.endpoint_id = wanted.endpoint_id AND waiting.due_at <= clock_timestamp()
        ORDER BY waiting.due_at
        LIMIT wanted.places
        FOR UPDATE SKIP LOCKED
    ) AS lane
    WHERE endpoint.is_enabled AND endpoint.disabled_at IS NULL
      AND (endpoint.throttled_until IS NULL OR endpoint.throttled_until <= clock_timestamp())
)
UPDATE views.webhook_lane AS lane
SET due_at = clock_timestamp() + make_interval(secs => $2::float8), claim_id = $1
FROM due
WHERE lane.endpoint_id = due.endpoint_id AND lane.product_id = due.product_id
RETURNING lane.endpoint_id, lane.product_id, lane.failed_attempts

-- How far the deliveries to these endpoints are; none for an endpoint that the projector has not seen yet.
SELECT endpoint.endpoint_id, endpoint.stream_version, endpoint.log_position, lanes.failing_products, queue.waiting,
       queue.oldest_waiting_seconds, endpoint.last_success_at, endpoint.last_failure_at, endpoint.disabled_at, endpoint.disabled_reason
FROM views.webhook_endpoint endpoint
CROSS JOIN LATERAL (
    SELECT count(*)::int AS failing_products
    FROM views.webhook_lane lane
    WHERE lane.endpoint_id = endpoint.endpoint_id AND lane.failed_attempts > 0
) lanes
CROSS JOIN LATERAL (
    SELECT count(*)::int AS waiting,
           greatest(0, extract(epoch FROM now() - min(delivery.event_time)))::float8 AS oldest_waiting_seconds
    FROM views.webhook_delivery delivery
    WHERE delivery.endpoint_id = endpoint.endpoint_id AND delivery.state = 'waiting'
) queue
WHERE endpoint.endpoint_id = ANY ($1::uuid[])

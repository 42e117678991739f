-- All queues in one row: endpoints, those disabled by us, waiting messages, products whose first message failed, and the age in
-- seconds of the oldest waiting message of endpoints that take deliveries.
SELECT (SELECT count(*) FROM views.webhook_endpoint) AS endpoints,
       (SELECT count(*) FROM views.webhook_endpoint WHERE disabled_at IS NOT NULL) AS disabled_endpoints,
       (SELECT count(*) FROM views.webhook_delivery WHERE state = 'waiting') AS messages,
       (SELECT count(*) FROM views.webhook_lane WHERE failed_attempts > 0) AS failing_products,
       coalesce((
           SELECT extract(epoch FROM clock_timestamp() - min(oldest.event_time))::float8
           FROM views.webhook_endpoint AS endpoint
           CROSS JOIN LATERAL (
               SELECT delivery.event_time FROM views.webhook_delivery AS delivery
               WHERE delivery.endpoint_id = endpoint.endpoint_id AND delivery.state = 'waiting'
               ORDER BY delivery.delivery_id LIMIT 1
           ) AS oldest
           WHERE endpoint.is_enabled AND endpoint.disabled_at IS NULL
       ), 0) AS oldest_seconds

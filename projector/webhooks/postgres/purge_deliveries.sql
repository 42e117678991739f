-- Deletes deliveries that were settled more than $1 days ago, at most $2.
DELETE FROM views.webhook_delivery
WHERE delivery_id IN (
    SELECT delivery_id FROM views.webhook_delivery
    WHERE settled_at < clock_timestamp() - make_interval(days => $1::int)
    ORDER BY settled_at LIMIT $2
)

-- The place in the log of one delivery to an endpoint; null: it is a test message.
SELECT log_position FROM views.webhook_delivery WHERE endpoint_id = $1::uuid AND delivery_id = $2::bigint
